"""Wrong values and wrong references are told together, and a value that is wrong is never the reason for another problem."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.errors import BadInput, Problem
from gameday.scenario import at_once, read_scenario
from gameday.scenario.at_once import scenario_of
from gameday.scenario.checks import check
from gameday.scenario.collection import check_all
from gameday.scenario.model import Scenario
from gameday.scenario.reading import parse_yaml, read_yaml
from gameday.scenario.tree import Document
from gameday.scenario.validation import validate

GOOD = Path(__file__).parent.parent / "data" / "good.yaml"
TEXT = GOOD.read_text(encoding="utf-8")
DATA = read_yaml(GOOD).data

Way = tuple[str | int, ...]


def lines(*changes: tuple[str, str]) -> list[str]:
    """The problems of the good scenario with some of its text changed, without the name of the file."""
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, f"the change is made in one place: {old}"
        text = text.replace(old, new)
    with pytest.raises(BadInput) as caught:
        scenario_of(parse_yaml(text, "day.yaml"))
    return [str(problem).removeprefix("day.yaml:") for problem in caught.value.problems]


def fields(*changes: tuple[str, str]) -> list[str]:
    """Their places."""
    return [line.split(": ")[1] for line in lines(*changes)]


NO_UNIT = ("lease: 20s", "lease: 20")
NO_UNIT_LINE = "140:38: policies.databases.orders.lease: needs a unit, e.g. '5s' (read '20'); did you mean '20s'?"


def test_a_time_without_its_unit_does_not_hide_a_database_that_is_not_there(tmp_path: Path) -> None:
    day = tmp_path / "day.yaml"
    day.write_text(TEXT.replace(*NO_UNIT).replace("to: database/products,", "to: database/order/primary,"), encoding="utf-8")

    with pytest.raises(BadInput) as caught:
        read_scenario(day)

    assert [str(problem).removeprefix(f"{day}:") for problem in caught.value.problems] == [
        (
            "46:16: system.services.catalog.calls.0.to: there is no such database (read 'database/order/primary'); "
            "did you mean 'database/orders'?"
        ),
        NO_UNIT_LINE,
    ]


def test_unknown_keys_missing_keys_and_names_that_nothing_has_come_together_in_the_order_of_the_file() -> None:
    found = lines(
        ("      slots: 20\n      service_time: lognormal", "      service_time: lognormal"),
        ("consumer: mailer", "consumer: mialer"),
        ("replications: 5", "replicatons: 5"),
        ("rule: web-busy, at", "rule: web-bsy, at"),
    )

    assert found == [
        "10:1: replicatons: unknown key; did you mean 'replications'?",
        "22:5: system.services.web.slots: is required",
        "83:22: system.queues.mail.consumer: there is no such service (read 'mialer'); did you mean 'mailer'?",
        "160:14: monitoring.silences.0.rule: there is no such rule (read 'web-bsy'); did you mean 'web-busy'?",
    ]


def test_a_fault_on_one_line_is_told_its_wrong_time_and_its_wrong_target() -> None:
    assert lines(("- kill region/eu-1 at 15m for 20m", "- kill region/eu-9 at 15 for 20m")) == [
        "122:7: schedule.faults.1: at needs a unit, e.g. '5s' (read 'kill region/eu-9 at 15 for 20m'); did you mean '15s'?",
        "122:7: schedule.faults.1.target: there is no region 'eu-9' (read 'region/eu-9'); did you mean 'region/eu-2'?",
    ]


def test_a_rule_of_a_misspelt_kind_is_told_the_probe_that_is_not_there() -> None:
    assert fields(("{kind: probe, probe: checkout, failures", "{kind: prob, probe: chekout, failures")) == [
        "monitoring.rules.probe-fails.kind",
        "monitoring.rules.probe-fails.probe",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ([("duration: 1h", "duration: 1")], ["duration"]),
        ([("warmup: 2m", "warmup: 2")], ["warmup"]),
        ([("for: 10m, ramp: 1m", "for: 10, ramp: 1m")], ["load.classes.browse.rate.for"]),
        ([("north: {share: 60%", "north: {share: 60")], ["system.traffic.origins.north.share"]),
        ([("max_per_zone: 6", "max_per_zone: six")], ["system.services.web.autoscaling.max_per_zone"]),
        ([("max_per_zone: 6", "max_per_zone: 1"), ("instances: 2\n      slots: 20", "instances: two\n      slots: 20")], None),
        ([("operation: read, read_from: nearest", "operation: raed, read_from: nearest")], None),
        ([("consistency: bounded", "consistency: bouned")], ["system.databases.products.consistency"]),
        ([("currency: EUR", "currency: euro")], ["system.money.currency"]),
        ([("above: 1.5s", "above: [1.5s]")], ["monitoring.rules.slow-checkout.above"]),
        ([("indicator: replication_lag", "indicator: replication_leg")], ["monitoring.rules.orders-lag.indicator"]),
    ],
)
def test_what_is_compared_with_a_wrong_value_is_no_problem(changes: list[tuple[str, str]], told: list[str] | None) -> None:
    found = fields(*changes)

    assert len(found) == 1
    assert told is None or found == told


@pytest.mark.parametrize(
    "change",
    [
        ("zones: [eu-2a, eu-2b]", "zones: eu-2a eu-2b"),
        ("zones: [eu-1a, eu-1b]", "zones: [eu-1a, [eu-1b]]"),
        ("primary: eu-1b", "primary: [eu-1b]"),
        ("replicas: [eu-1b, eu-2a]", "replicas: {eu-1b: 1, eu-2a: 1}"),
        ("consumer: mailer", "consumer: [mailer]"),
        ("- {to: ads,", "- {to: [ads],"),
        ("origins: {north: 70%, south: 30%}", "origins: 100%"),
        ("    cards: {service_time: 120ms, slots: 200, timeout: 1s}", "    cards: 120ms"),
        ("  providers:\n    cards:", "  providrs:\n    cards:"),
        ("  queues:\n    mail:", "  message_brokers:\n    mail:"),
        ("rack-1: [instance/web@eu-1a/0, instance/checkout@eu-1a/0, database/orders@eu-1a]", "rack-1: instance/web@eu-1a/0"),
        ("    shop: {members: [ana, bo]}", "    shop: [ana, bo]"),
        ("    legal: [bo]", "    legal: bo"),
        ("    regulator: {channel: email,", "    regulator: {chanel: 5,"),
        (
            "    web-busy: {kind: threshold, on: service/web@eu-2, indicator: utilisation, above: 90%, for: 2m, severity: ticket}",
            "    web-busy: 90%",
        ),
    ],
)
def test_what_names_something_whose_value_is_wrong_is_no_problem(change: tuple[str, str]) -> None:
    alone = [str(problem).removeprefix("day.yaml:") for problem in values_of(parse_yaml(TEXT.replace(*change), "day.yaml"))]

    assert alone
    assert lines(change) == alone


@pytest.mark.parametrize("table", ["rules", "probes"])
def test_a_table_that_cannot_be_read_hides_only_what_names_something_in_it(table: str) -> None:
    data = deepcopy(DATA)
    data["monitoring"][table] = "none"
    data["system"]["queues"]["mail"]["consumer"] = "mialer"

    assert {problem.field for problem in problems_of(data)} == {f"monitoring.{table}", "system.queues.mail.consumer"}


def test_a_replayed_file_that_is_not_there_is_told_with_the_rest(tmp_path: Path) -> None:
    day = tmp_path / "day.yaml"
    text = TEXT.replace(*NO_UNIT).replace("consumer: mailer", "consumer: mialer")
    text = text.replace(
        "      rate: {shape: spike, base: 60/s, peak: 120/s, at: 20m, for: 10m, ramp: 1m}",
        "      rate: {shape: replay, file: no.csv}",
    )
    day.write_text(text, encoding="utf-8")

    with pytest.raises(BadInput) as caught:
        read_scenario(day)

    assert [problem.field for problem in caught.value.problems] == [
        "system.queues.mail.consumer",
        "load.classes.browse.rate.file",
        "policies.databases.orders.lease",
    ]


def test_a_replayed_file_that_is_not_there_is_told_with_references_alone() -> None:
    rate = ("rate: {shape: spike, base: 60/s, peak: 120/s, at: 20m, for: 10m, ramp: 1m}", "rate: {shape: replay, file: no.csv}")

    assert fields(rate, ("consumer: mailer", "consumer: mialer")) == [
        "system.queues.mail.consumer",
        "load.classes.browse.rate.file",
    ]


def test_a_wrong_number_of_rows_is_told_once() -> None:
    rate = "rate: {shape: spike, base: 60/s, peak: 120/s, at: 20m, for: 10m, ramp: 1m}"

    assert fields((rate, "rate: {shape: replay, file: no.csv, rows: many}")) == ["load.classes.browse.rate.rows"]


def test_a_part_is_told_its_values_and_its_replayed_files_together(tmp_path: Path) -> None:
    part = tmp_path / "load.yaml"
    part.write_text(
        "load:\n  classes:\n    a: {entry: web, rate: {shape: replay, file: no.csv}}\n    b: {entry: web, think: 5}\n",
        encoding="utf-8",
    )

    (checked,) = check_all([part])

    assert [problem.field for problem in checked.problems] == ["load.classes.a.rate.file", "load.classes.b.think"]


def test_where_a_repaired_copy_cannot_be_checked_the_values_are_told_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_scenario: Scenario, _document: Document) -> None:
        raise LookupError

    monkeypatch.setattr(at_once, "check", failing)

    assert lines(NO_UNIT, ("consumer: mailer", "consumer: mialer")) == [NO_UNIT_LINE]


def test_a_file_with_little_right_in_it_is_told_its_values() -> None:
    data = {
        "gameday": 1,
        "system": {"regions": 5, "services": [1, 2]},
        "load": None,
        "sytem": {},
        "monitoring": {"rules": {"a": {"kind": 1}}},
    }

    assert {problem.field for problem in problems_of(data)} == {
        problem.field for problem in values_of(parse_yaml(json.dumps(data), "d"))
    }


# -- whatever is wrong --------------------------------------------------------------------------------------------------------


def problems_of(data: dict[str, Any]) -> list[Problem]:
    """Everything that is wrong."""
    try:
        scenario_of(parse_yaml(json.dumps(data), "day.yaml"))
    except BadInput as bad:
        return bad.problems
    return []


def values_of(document: Document) -> list[Problem]:
    """The values that are wrong."""
    try:
        validate(Scenario, document)
    except BadInput as bad:
        return bad.problems
    return []


def references_of(data: dict[str, Any]) -> list[Problem]:
    """The references that are wrong where every value is right."""
    document = parse_yaml(json.dumps(data), "day.yaml")
    try:
        check(validate(Scenario, document), document)
    except BadInput as bad:
        return bad.problems
    return []


def leaves(value: object, path: Way = ()) -> list[Way]:
    """Ways to all single values."""
    if isinstance(value, dict):
        return [leaf for key, below in value.items() for leaf in leaves(below, (*path, key))]
    if isinstance(value, list):
        return [leaf for number, below in enumerate(value) for leaf in leaves(below, (*path, number))]
    return [path]


def changed(data: dict[str, Any], path: Way, value: object) -> dict[str, Any]:
    """The data with another value at the path."""
    copy = deepcopy(data)
    parent: Any = copy
    for part in path[:-1]:
        parent = parent[part]
    parent[path[-1]] = value
    return copy


def at(path: Way) -> Any:
    """What the good scenario has there."""
    value: Any = DATA
    for part in path:
        value = value[part]
    return value


def dotted(path: Way) -> str:
    return ".".join(map(str, path))


def misspelt(path: Way) -> str:
    word = str(at(path))
    return word[:-1] + ("y" if word.endswith("x") else "x")


LEAVES = leaves(DATA)
REFERENCES = [
    path
    for path in LEAVES
    if isinstance(at(path), str)
    and not values_of(parse_yaml(json.dumps(changed(DATA, path, misspelt(path))), "d"))
    and [problem.field for problem in references_of(changed(DATA, path, misspelt(path)))] == [dotted(path)]
]
"""Names that, when they are misspelt, give one problem, in their own place."""
HUNG_ON = frozenset(
    [
        "zones",
        "primary",
        "replicas",
        "to",
        "fallback",
        "consumer",
        "owner",
        "region",
        "pairs",
        "on",
        "kind",
        "shape",
        "operation",
        "kpi",
        "statistic",
        "indicator",
        "fault",
        "currency",
        "mode",
        "enabled",
        "severity",
    ]
)
"""What stands here decides what other names mean, or whether they are used, so some of those wait until it is right."""
INDEPENDENT = [
    path
    for path in LEAVES
    if not HUNG_ON & set(path) and "with" not in path and values_of(parse_yaml(json.dumps(changed(DATA, path, [[]])), "d"))
]
"""Values whose type can be wrong, and that no name hangs on."""
PLACES = list(dict.fromkeys(path[:length] for path in LEAVES for length in range(1, len(path) + 1)))
"""Every value, list and mapping."""


def broken(references: list[Way], values: list[Way], wrong: object) -> tuple[dict[str, Any], list[Problem]]:
    """The data with misspelt references and values of a wrong type, and the problems of the references alone."""
    data = DATA
    for path in references:
        data = changed(data, path, misspelt(path))
    alone = references_of(data)
    for path in values:
        data = changed(data, path, wrong)
    return data, alone


def same(problem: Problem) -> tuple[str, str, str | None]:
    return problem.field, problem.message, problem.value


def test_there_are_references_and_values_to_break() -> None:
    assert len(REFERENCES) > 60
    assert len(INDEPENDENT) > 120


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(REFERENCES), min_size=1, max_size=4, unique=True),
    st.lists(st.sampled_from(INDEPENDENT), min_size=1, max_size=4, unique=True),
    st.sampled_from([[[]], [{}]]),
)
def test_every_wrong_value_and_every_misspelt_reference_is_told_and_nothing_else(
    references: list[Way], values: list[Way], wrong: object
) -> None:
    data, alone = broken([path for path in references if path not in values], values, wrong)
    known = values_of(parse_yaml(json.dumps(data), "day.yaml"))

    found = problems_of(data)

    assert {same(problem) for problem in found} == {same(problem) for problem in [*known, *alone]}
    assert [(each.line, each.column) for each in found] == sorted((each.line or 0, each.column or 0) for each in found)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(REFERENCES), max_size=3, unique=True),
    st.lists(st.sampled_from(PLACES), min_size=1, max_size=2, unique=True),
)
def test_whatever_is_wrong_no_reference_is_told_that_is_right_when_the_values_are(
    references: list[Way], places: list[Way]
) -> None:
    outer = [path for path in places if not any(path[: len(other)] == other for other in places if other != path)]
    data, alone = broken(references, outer, [[]])
    known = values_of(parse_yaml(json.dumps(data), "day.yaml"))

    found = problems_of(data)

    assert {same(problem) for problem in known} <= {same(problem) for problem in found}
    made_up = {same(problem) for problem in found} - {same(problem) for problem in [*known, *alone]}
    inside = tuple(f"{dotted(path)}." for path in outer)
    assert not {each for each in made_up if not f"{each[0]}.".startswith(inside)}
