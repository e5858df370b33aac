"""The same rules and series to `promtool test rules` and to our rule machine: the same alerts pending and firing at every evaluation.

Generated unit-test files say what our machine expects; promtool judges. A missing measurement is `stale`, so that no look-back fills it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.alerting.alert import Sample, labels_of
from gameday.alerting.rules import RuleMachine
from gameday.scenario.writing import yaml_text

PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
SUBJECTS = ("a", "b")
EVALUATION_S = 15


@dataclass(frozen=True)
class Case:
    """A rule, and for each subject whether its condition holds (or nothing was measured) at every evaluation."""

    hold_s: int
    keep_firing_for_s: int
    series: dict[str, list[int | None]]


cases = st.builds(
    Case,
    hold_s=st.sampled_from([0, 1, 15, 20, 30, 45, 61]),
    keep_firing_for_s=st.sampled_from([0, 15, 20, 45]),
    series=st.fixed_dictionaries({s: st.lists(st.sampled_from([0, 1, 1, 1, None]), min_size=24, max_size=24) for s in SUBJECTS}),
)


def played(case: Case, machine: RuleMachine) -> list[dict[str, str]]:
    """State of every alert after every evaluation."""
    states = []
    for step in range(len(case.series["a"])):
        now = float(step * EVALUATION_S)
        machine.evaluate(now, [Sample(subject, 1.0) for subject in SUBJECTS if case.series[subject][step] == 1])
        found = {subject: machine.state(labels_of({"subject": subject})) for subject in SUBJECTS}
        states.append({subject: state for subject, state in found.items() if state != "inactive"})
    return states


def unit_test(number: int, case: Case, states: list[dict[str, str]]) -> dict[str, Any]:
    """One test of a unit-test file: firing alerts by name, pending ones by the series promtool keeps of them."""
    alerts, expressions = [], []
    for step, state in enumerate(states):
        at = f"{step * EVALUATION_S}s"
        firing = [{"exp_labels": {"subject": s}} for s, each in state.items() if each == "firing"]
        alerts.append({"eval_time": at, "alertname": f"rule{number}", **({"exp_alerts": firing} if firing else {})})
        pending = [
            {"labels": f'ALERTS{{alertname="rule{number}", alertstate="pending", subject="{s}"}}', "value": 1}
            for s, each in state.items()
            if each == "pending"
        ]
        query = f'ALERTS{{alertname="rule{number}", alertstate="pending"}}'
        expressions.append({"expr": query, "eval_time": at, **({"exp_samples": pending} if pending else {})})
    series = [
        {"series": f'sig{number}{{subject="{subject}"}}', "values": " ".join("stale" if v is None else str(v) for v in values)}
        for subject, values in case.series.items()
    ]
    return {"interval": f"{EVALUATION_S}s", "input_series": series, "alert_rule_test": alerts, "promql_expr_test": expressions}


def judged(given_cases: list[Case], **off: int) -> subprocess.CompletedProcess[str]:
    """What promtool says of the expectations of our machine; `off` makes the machine wrong on purpose."""
    rules, tests = [], []
    for number, case in enumerate(given_cases):
        rule: dict[str, Any] = {"alert": f"rule{number}", "expr": f"sig{number} == 1", "for": f"{case.hold_s}s"}
        rules.append({**rule, "keep_firing_for": f"{case.keep_firing_for_s}s"})
        machine = RuleMachine(
            f"rule{number}",
            "page",
            lambda subject: labels_of({"subject": subject}),
            hold_s=case.hold_s + off.get("hold_s", 0),
            keep_firing_for_s=case.keep_firing_for_s + off.get("keep_firing_for_s", 0),
            evaluation_s=EVALUATION_S,
        )
        tests.append(unit_test(number, case, played(case, machine)))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rules.yml").write_text(yaml_text({"groups": [{"name": "g", "rules": rules}]}), encoding="utf-8")
        unit = {"rule_files": ["rules.yml"], "evaluation_interval": f"{EVALUATION_S}s", "tests": tests}
        Path(folder, "test.yml").write_text(yaml_text(unit), encoding="utf-8")
        command = [PROMTOOL or "", "test", "rules", "test.yml"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


@settings(max_examples=8, deadline=None)
@given(given_cases=st.lists(cases, min_size=4, max_size=6))
def test_promtool_sees_the_same_alerts_pending_and_firing(given_cases: list[Case]) -> None:
    answer = judged(given_cases)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("off", [{"hold_s": 15}, {"keep_firing_for_s": 15}])
def test_promtool_tells_a_machine_that_is_one_evaluation_off(off: dict[str, int]) -> None:
    case = Case(30, 30, {"a": [0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0], "b": [0] * 12})
    assert judged([case]).returncode == 0
    assert judged([case], **off).returncode == 1
