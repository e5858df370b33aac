"""Fits of responders: closed form, scipy's censored fit as oracle, formats of exports, refusals."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from math import exp, log
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gameday.cli import run_command
from gameday.errors import BadInput
from gameday.fit import LEAST, TooFewError, fit_lognormal, log_likelihood, read_export
from gameday.scenario.response import Timing


def sample(n: int, seed: int = 1, median_s: float = 120.0, sigma: float = 0.9) -> list[float]:
    return [float(t) for t in np.random.default_rng(seed).lognormal(log(median_s), sigma, n)]


def test_without_censoring_it_is_mean_and_deviation_of_the_logarithms() -> None:
    times = sample(50)
    fitted = fit_lognormal(times)
    logs = np.log(times)
    assert fitted.median_s == pytest.approx(exp(logs.mean()))
    assert fitted.sigma == pytest.approx(logs.std())
    assert fitted.median_interval_s[0] < fitted.median_s < fitted.median_interval_s[1]
    assert fitted.ks_p is not None


@pytest.mark.parametrize("limit_s", [90.0, 200.0, 600.0])
def test_with_censoring_it_agrees_with_scipy(limit_s: float) -> None:
    times = sample(300, seed=3)
    seen, beyond = [t for t in times if t <= limit_s], [limit_s] * sum(t > limit_s for t in times)
    fitted = fit_lognormal(seen, beyond)
    oracle = stats.lognorm.fit(stats.CensoredData(uncensored=seen, right=beyond), floc=0)
    assert fitted.sigma == pytest.approx(oracle[0], rel=1e-3)
    assert fitted.median_s == pytest.approx(oracle[2], rel=1e-3)


def test_leaving_out_what_was_censored_would_make_people_look_quicker() -> None:
    times = sample(2000, seed=4)
    seen, beyond = [t for t in times if t <= 120], [120.0] * sum(t > 120 for t in times)
    assert fit_lognormal(seen).median_s < 80
    assert fit_lognormal(seen, beyond).median_s == pytest.approx(120, rel=0.1)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), limit_s=st.floats(60, 1000), factor=st.floats(0.8, 1.25))
def test_no_parameters_nearby_are_likelier(seed: int, limit_s: float, factor: float) -> None:
    times = sample(80, seed=seed)
    seen, beyond = [t for t in times if t <= limit_s], [limit_s] * sum(t > limit_s for t in times)
    if len(seen) < LEAST:
        return
    fitted = fit_lognormal(seen, beyond)
    best = log_likelihood(seen, beyond, fitted.median_s, fitted.sigma)
    assert best >= log_likelihood(seen, beyond, fitted.median_s * factor, fitted.sigma) - 1e-6
    assert best >= log_likelihood(seen, beyond, fitted.median_s, fitted.sigma * factor) - 1e-6


def test_a_small_sample_is_refused() -> None:
    with pytest.raises(TooFewError, match="19 acknowledged, at least 20"):
        fit_lognormal(sample(19))


def export(folder: Path, header: str, rows: list[str]) -> Path:
    file = folder / "export.csv"
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return file


def test_each_kind_of_export_is_read(tmp_path: Path) -> None:
    pagerduty = export(
        tmp_path, "id,created_at,seconds_to_first_ack,seconds_to_resolve,escalation_count", ["P1,2026-01-05T10:00:00Z,95,900,1"]
    )
    assert read_export(pagerduty)[0].to_acknowledge_s == 95
    assert read_export(pagerduty)[0].escalated is True
    goalert = export(
        tmp_path, "Created At,Time To Ack,Time To Close,Escalated", ["2026-01-05T10:00:00+01:00,PT1M35S,00:15:00,false"]
    )
    assert (read_export(goalert)[0].to_acknowledge_s, read_export(goalert)[0].to_resolve_s) == (95, 900)
    assert read_export(goalert)[0].escalated is False
    opsgenie = export(tmp_path, "createdAt,report.ackTime,report.closeTime", ["2026-01-05T10:00:00Z,95000,900000"])
    assert read_export(opsgenie)[0].to_acknowledge_s == 95
    instants = export(
        tmp_path,
        "created_on,acknowledged_on,resolved_on",
        ["2026-01-05T10:00:00Z,2026-01-05T10:01:35Z,", "2026-01-05T10:00:00Z,,2026-01-05T10:15:00Z"],
    )
    assert [(page.to_acknowledge_s, page.to_resolve_s) for page in read_export(instants)] == [(95, None), (None, 900)]


def test_everything_that_cannot_be_read_is_told_with_its_line(tmp_path: Path) -> None:
    file = export(tmp_path, "created_at,time_to_ack", ["2026-01-05T10:00:00Z,soon", "yesterday,5", "2026-01-05T10:00:00Z,-4"])
    with pytest.raises(BadInput) as bad:
        read_export(file)
    assert [problem.line for problem in bad.value.problems] == [2, 3, 4]
    with pytest.raises(BadInput, match="has no column that says how long"):
        read_export(export(tmp_path, "a,b", ["1,2"]))


def rows_of(times: list[float], hour: int) -> list[str]:
    return [f"2026-01-05T{hour:02}:00:00Z,{t:.0f},{int(number % 10 == 0)}" for number, t in enumerate(times)]


def test_the_command_prints_a_snippet_that_a_scenario_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_day, by_night = sample(60), sample(40, seed=2, median_s=300)
    file = export(tmp_path, "created_at,seconds_to_first_ack,escalation_count", rows_of(by_day, 12) + rows_of(by_night, 2))
    assert run_command(["fit", "responders", str(file), "--timezone", "UTC"]) == 0
    timing = yaml.safe_load(capsys.readouterr().out)["response"]["timing"]
    Timing.model_validate(timing)
    assert timing["miss"] == "10.0%"
    assert float(timing["notice"]["median"].removesuffix("s")) == pytest.approx(np.exp(np.log(by_day).mean()), abs=2)
    assert float(timing["notice_asleep"]["median"].removesuffix("s")) > 200


def test_the_command_refuses_small_samples_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = export(tmp_path, "created_at,seconds_to_first_ack", [f"2026-01-05T12:00:00Z,{t:.0f}" for t in sample(30)])
    assert run_command(["fit", "responders", str(file), "--json"]) == 0
    assert "at least 20" in json.loads(capsys.readouterr().out)["refused"]["notice_asleep"]
    few = export(tmp_path, "created_at,seconds_to_first_ack", [f"2026-01-05T12:00:00Z,{t:.0f}" for t in sample(5)])
    assert run_command(["fit", "responders", str(few)]) == 2
    assert "too small to be fitted (notice: 5 acknowledged" in capsys.readouterr().err
    assert run_command(["fit", "responders", str(file), "--timezone", "Mars/Base"]) == 2


MILESTONES = "created_at,acknowledged_at,investigating_at,identified_at,mitigated_at,resolved_at,seconds_to_engage"


def milestones(count: int, hour: int, *, causes: int | None = None, seed: int = 5) -> list[str]:
    """Rows with lognormal phases: engage 60 s, diagnose 1200 s, act 600 s, assemble 900 s; only some with a cause."""
    draws = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        at = datetime(2026, 1, 5, hour, tzinfo=UTC) + timedelta(days=number)
        steps = [at]
        for median_s in (120.0, 60.0, 1200.0, 600.0):
            steps.append(steps[-1] + timedelta(seconds=round(float(draws.lognormal(log(median_s), 0.5)))))
        cells = [step.isoformat() for step in steps]
        if causes is not None and number >= causes:
            cells[3] = ""
        rows.append(",".join([*cells, "", f"{draws.lognormal(log(900.0), 0.4):.0f}" if number % 2 else ""]))
    return rows


def test_later_phases_are_fitted_where_the_export_has_their_milestones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = export(tmp_path, MILESTONES, milestones(60, 12) + milestones(30, 2, seed=6))
    assert run_command(["fit", "responders", str(file)]) == 0
    text = capsys.readouterr().out
    timing = Timing.model_validate(yaml.safe_load(text)["response"]["timing"])
    for name, median_s, sigma in (("engage", 60, 0.5), ("engage_asleep", 60, 0.5), ("diagnose", 1200, 0.5), ("act", 600, 0.5)):
        fitted = getattr(timing, name)
        assert fitted.median == pytest.approx(median_s, rel=0.25), name
        assert fitted.sigma == pytest.approx(sigma, abs=0.15), name
    assert timing.assemble.median == pytest.approx(900, rel=0.2)
    assert timing.decide.median == 1.0, "the export cannot tell deciding from acting"


def test_each_phase_with_few_times_is_refused_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = export(tmp_path, MILESTONES, milestones(30, 12, causes=19))
    assert run_command(["fit", "responders", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["fits"]) == {"notice", "engage"}
    assert found["refused"]["diagnose"] == "19 with a cause, at least 20 are needed"
    assert found["refused"]["act"] == "19 mended, at least 20 are needed"
    assert found["refused"]["assemble"] == "15 with several responders, at least 20 are needed"
    assert found["refused"]["engage_asleep"] == "0 engaged, at least 20 are needed"
    assert run_command(["fit", "responders", str(file)]) == 0
    assert "# diagnose: not fitted, 19 with a cause" in capsys.readouterr().out


def test_milestones_out_of_order_are_told_with_their_line(tmp_path: Path) -> None:
    rows = [
        "2026-01-05T10:00:00Z,2026-01-05T10:02:00Z,2026-01-05T10:01:00Z,,,,",
        "2026-01-05T10:00:00Z,,,2026-01-05T10:09:00Z,2026-01-05T10:09:00,,",
    ]
    with pytest.raises(BadInput) as bad:
        read_export(export(tmp_path, MILESTONES, rows))
    assert [(problem.line, problem.message) for problem in bad.value.problems] == [
        (2, "'2026-01-05T10:01:00Z' (engaged) is before the milestone before it"),
        (3, "'2026-01-05T10:09:00': only one of two milestones has an offset from UTC"),
    ]
