"""Every rule of the cross references: one change to a good scenario, and exactly the problems it must give."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.errors import BadInput
from gameday.scenario.checks import check
from gameday.scenario.model import Scenario
from gameday.scenario.reading import parse_yaml
from gameday.scenario.tree import Document
from gameday.scenario.validation import validate

DATA = Path(__file__).parent.parent / "data"
GOOD = (DATA / "good.yaml").read_text(encoding="utf-8")
BAD = [
    case
    for file in ("bad_scenarios.yaml", "bad_alerting.yaml", "bad_communication.yaml")
    for case in yaml.safe_load((DATA / file).read_text(encoding="utf-8"))
]


def checked(text: str) -> Document:
    document = parse_yaml(text, "day.yaml")
    check(validate(Scenario, document), document)
    return document


def problems(text: str) -> BadInput:
    document = parse_yaml(text, "day.yaml")
    scenario = validate(Scenario, document)
    with pytest.raises(BadInput) as caught:
        check(scenario, document)
    return caught.value


def test_a_good_scenario_passes() -> None:
    checked(GOOD)


@pytest.mark.parametrize("case", BAD, ids=[case["name"].replace(" ", "-") for case in BAD])
def test_each_mistake_gives_exactly_its_problems(case: dict[str, Any]) -> None:
    assert GOOD.count(case["replace"]) == 1, "the change is made in one place"

    found = problems(GOOD.replace(case["replace"], case["by"])).problems

    assert [str(problem).split(": ", 1)[1] for problem in found] == case["problems"]
    assert all(problem.line is not None and problem.column is not None for problem in found)


def test_problems_of_all_parts_are_told_at_once_in_the_order_of_the_file() -> None:
    text = GOOD.replace("consumer: mailer", "consumer: mialer").replace("kpi: detection.time_to_detect", "kpi: detection.x")
    text = text.replace("rule: web-busy, at", "rule: web-bsy, at")

    found = problems(text).problems

    assert [problem.field for problem in found] == [
        "system.queues.mail.consumer",
        "monitoring.silences.0.rule",
        "objectives.0.kpi",
    ]
    assert [problem.line for problem in found] == sorted(problem.line or 0 for problem in found)


@pytest.mark.parametrize(
    ("old", "new", "marker", "shift"),
    [
        ("consumer: mailer", "consumer: mialer", "mialer", 0),
        ("browse: {rate: 500/s", "brwose: {rate: 500/s", "brwose: {rate", 0),
        ("- slow provider/cards factor=3", "- slow provider/cards factor=1", "slow provider/cards factor=1", 0),
        ("with: {delay: 100ms}", "with: {delay: 100}", "delay: 100}", len("delay: ")),
        ("bad_release: {action", "bad_relaese: {action", "bad_relaese: {action", 0),
    ],
)
def test_a_problem_stands_where_its_key_or_value_stands(old: str, new: str, marker: str, shift: int) -> None:
    text = GOOD.replace(old, new)

    problem = problems(text).problems[0]

    before = text[: text.index(marker) + shift]
    assert (problem.line, problem.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))


def scalars(text: str) -> list[str]:
    """Every word of the file that names or counts something."""
    words: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                words.append(str(key))
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)
        elif isinstance(value, str):
            words.append(value)

    walk(yaml.safe_load(text))
    return sorted({word for word in words if len(word) > 1 and "\n" not in word})


WORDS = scalars(GOOD)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(WORDS), st.sampled_from([*WORDS, "nothing", "a/b", "x@y", "->", "0s"])), min_size=1, max_size=4
    )
)
def test_no_mix_of_mistakes_gives_anything_but_problems(swaps: list[tuple[str, str]]) -> None:
    text = GOOD
    for old, new in swaps:
        text = text.replace(old, new)
    with suppress(BadInput):
        checked(text)
