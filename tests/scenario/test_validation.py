"""From documents to models: every mistake is one line with its place, in words of the scenario language, none of pydantic's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from gameday.errors import BadInput, Problem
from gameday.scenario.base import InWords, Strict
from gameday.scenario.includes import read_with_includes
from gameday.scenario.overrides import apply_overrides
from gameday.scenario.quantities import Duration, Money, Rate, Ratio
from gameday.scenario.reading import parse_yaml
from gameday.scenario.validation import Checks, validate

Name = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=12),
    InWords("a name of lower-case letters, digits, '-', '_' and '.'"),
]


class Times(Strict):
    """A time, long or short form."""

    family: Literal["constant", "lognormal"]
    mean: Duration
    cv: Annotated[float, Field(gt=0, le=20)] = 1.0


def _times(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    words = value.split()
    if len(words) not in {2, 3}:
        raise ValueError("expected '<family> <mean>', e.g. 'constant 12ms'")
    return dict(zip(("family", "mean", "cv"), words, strict=False))


class ProbeRule(Strict):
    """A rule on a probe."""

    kind: Literal["probe"]
    probe: Name
    failures: Annotated[int, Field(ge=1, le=100)] = 2


class ThresholdRule(Strict):
    """A rule on a number."""

    kind: Literal["threshold"]
    above: float
    hold: Duration = Field(default=0.0, alias="for")


Rule = Annotated[ProbeRule | ThresholdRule, Field(discriminator="kind")]


class Window(Strict):
    """Two times in order."""

    opens: Duration
    closes: Duration

    @model_validator(mode="after")
    def _in_order(self) -> Window:
        if self.closes < self.opens:
            raise ValueError("must not close before it opens")
        return self


class Day(Strict):
    """Something of everything; all optional, so that a test may be about one field."""

    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    version: Annotated[int, Field(ge=1, le=1)] = 1
    slots: Annotated[int, Field(ge=1)] = 1
    factor: Annotated[float, Field(gt=0, le=20)] = 1.0
    ratio: Ratio = 1.0
    wait: Duration = 0.0
    gap: Annotated[Duration, Field(gt=0, le=3600)] = 1.0
    rate: Rate = 0.0
    price: Money = 0.0
    name: Name | None = None
    title: Annotated[str, Field(min_length=1, max_length=10)] = "t"
    enabled: bool = True
    level: Literal["page", "ticket"] = "page"
    zones: Annotated[list[Name], Field(min_length=1, max_length=3)] = Field(default=["a"])
    pair: Annotated[list[Name], Field(min_length=2, max_length=2)] = Field(default=["a", "b"])
    weights: dict[Name, float] = Field(default={})
    count: Annotated[int, Field(ge=1, le=9)] | dict[Name, Annotated[int, Field(ge=0)]] = 1
    patience: Duration | Literal["never"] = "never"
    limit: float | str | None = None
    rules: dict[Name, Rule] = Field(default={})
    several: Rule | list[Rule] | None = None
    time: Annotated[Times, BeforeValidator(_times)] | None = None
    window: Window | None = None
    windows: Duration | Window | list[Window] = 0.0
    starts: datetime | None = None
    begins: AwareDatetime | None = None


class Nested(Strict):
    """Required things, one inside the other."""

    system: Window
    day: Day = Day()


def lines(call: Callable[[], object]) -> list[str]:
    """The problems the call raises, one line each."""
    with pytest.raises(BadInput) as caught:
        call()
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("port: 0", "1:7: port: must be a whole number from 1 to 65535 (read '0')"),
        ("port: many", "1:7: port: must be a whole number from 1 to 65535 (read 'many')"),
        ("port: 1.5", "1:7: port: must be a whole number from 1 to 65535 (read '1.5')"),
        ("port: true", "1:7: port: must be a whole number from 1 to 65535 (read 'true')"),
        ("port: [1]", "1:1: port: must be a whole number from 1 to 65535 (read 'a list')"),
        ("slots: 0", "1:8: slots: must be a whole number of at least 1 (read '0')"),
        ("slots: null", "1:8: slots: must be a whole number of at least 1 (read 'null')"),
        ("slots:", "1:7: slots: must be a whole number of at least 1 (read 'null')"),
        ("factor: 0", "1:9: factor: must be a number greater than 0 and at most 20 (read '0')"),
        ("factor: 2.50x", "1:9: factor: must be a number greater than 0 and at most 20 (read '2.50x')"),
        ("ratio: 150", "1:8: ratio: must be between 0 and 1, or between 0% and 100% (read '150')"),
        ("ratio: 99.9", "1:8: ratio: must be between 0 and 1, or between 0% and 100% (read '99.9'); did you mean '99.9%'?"),
        ("wait: 5", "1:7: wait: needs a unit, e.g. '5s' (read '5'); did you mean '5s'?"),
        (
            "wait: 5 sec",
            "1:7: wait: has an unknown unit 'sec'; units of time are d, h, m, s, ms, us (read '5 sec'); did you mean '5s'?",
        ),
        ("wait: null", "1:7: wait: must be a duration such as '90s' or '1h30m' (read 'null')"),
        ("gap: 0s", "1:6: gap: must be greater than 0s and at most 1h (read '0s')"),
        ("gap: 2h", "1:6: gap: must be greater than 0s and at most 1h (read '2h')"),
        ("rate: 20", "1:7: rate: needs a unit, e.g. '5/s' (read '20'); did you mean '20/s'?"),
        (
            "price: 3 eur",
            "1:8: price: has an unknown currency; a currency is three capital letters, e.g. '12.50 EUR' (read '3 eur'); did you mean '3 EUR'?",
        ),
        (
            "name: Big Shop",
            "1:7: name: must be a name of lower-case letters, digits, '-', '_' and '.' (read 'Big Shop'); did you mean 'big-shop'?",
        ),
        ("name: 5", "1:7: name: must be a name of lower-case letters, digits, '-', '_' and '.': put it in quotes (read '5')"),
        ("name: much-too-long-a-name", "1:7: name: must be text of at most 12 characters (read 'much-too-long-a-name')"),
        ("version: 2", "1:10: version: must be a whole number, exactly 1 (read '2')"),
        ("title: 1.10", "1:8: title: must be text of 1 to 10 characters: put it in quotes (read '1.10')"),
        ("title: far too long a title", "1:8: title: must be text of 1 to 10 characters (read 'far too long a title')"),
        ("enabled: yes", "1:10: enabled: must be true or false (read 'yes'); did you mean 'true'?"),
        ("enabled: Off", "1:10: enabled: must be true or false (read 'Off'); did you mean 'false'?"),
        ("enabled: maybe", "1:10: enabled: must be true or false (read 'maybe')"),
        ("level: pge", "1:8: level: must be one of page, ticket (read 'pge'); did you mean 'page'?"),
        ("level: [page]", "1:1: level: must be one of page, ticket (read 'a list')"),
        ("zones: []", "1:1: zones: must be a list of 1 to 3 elements (read 'an empty list')"),
        ("zones: a", "1:8: zones: must be a list of 1 to 3 elements (read 'a')"),
        (
            "zones: [a, B]",
            "1:12: zones.1: must be a name of lower-case letters, digits, '-', '_' and '.' (read 'B'); did you mean 'b'?",
        ),
        ("pair: [a]", "1:1: pair: must be a list of exactly 2 elements (read 'a list')"),
        ("weights: {a: x}", "1:14: weights.a: must be a number (read 'x')"),
        (
            "weights: {A: 1}",
            "1:11: weights.A: must be a name of lower-case letters, digits, '-', '_' and '.' (read 'A'); did you mean 'a'?",
        ),
        ("weights: 5", "1:10: weights: must be a mapping (read '5')"),
        ("count: 0", "1:8: count: must be a whole number from 1 to 9 (read '0')"),
        ("count: x", "1:8: count: must be a whole number from 1 to 9 or a mapping (read 'x')"),
        ("count: true", "1:8: count: must be a whole number from 1 to 9 or a mapping (read 'true')"),
        ("count: {a: -1}", "1:12: count.a: must be a whole number of at least 0 (read '-1')"),
        ("count: [1]", "1:1: count: must be a whole number from 1 to 9 or a mapping (read 'a list')"),
        (
            "patience: nver",
            "1:11: patience: must be a duration such as '90s' or '1h30m' or 'never' (read 'nver'); did you mean 'never'?",
        ),
        ("patience: 5", "1:11: patience: must be a duration such as '90s' or '1h30m' or 'never' (read '5'); did you mean '5s'?"),
        ("limit: [1]", "1:1: limit: must be a number or text (read 'a list')"),
        (
            "rules: {a: {kind: prob, probe: x}}",
            "1:19: rules.a.kind: must be one of probe, threshold (read 'prob'); did you mean 'probe'?",
        ),
        ("rules: {a: {probe: x}}", "1:9: rules.a.kind: is required: one of probe, threshold"),
        ("rules: {a: probe}", "1:12: rules.a: must be a mapping (read 'probe')"),
        (
            "rules: {a: {kind: probe, probe: x, failures: 0}}",
            "1:46: rules.a.failures: must be a whole number from 1 to 100 (read '0')",
        ),
        ("rules: {a: {kind: threshold, above: 1, fro: 1m}}", "1:40: rules.a.fro: unknown key; did you mean 'for'?"),
        (
            "rules: {a: {kind: threshold, above: 1, for: 1}}",
            "1:45: rules.a.for: needs a unit, e.g. '5s' (read '1'); did you mean '1s'?",
        ),
        ("rules: {a: {kind: threshold}}", "1:9: rules.a.above: is required"),
        ("several: {probe: x}", "1:1: several.kind: is required: one of probe, threshold"),
        ("several: [{kind: prob}]", "1:18: several.0.kind: must be one of probe, threshold (read 'prob'); did you mean 'probe'?"),
        (
            "several: {kind: probe, probe: X}",
            "1:31: several.probe: must be a name of lower-case letters, digits, '-', '_' and '.' (read 'X'); did you mean 'x'?",
        ),
        ("several: 5", "1:10: several: must be a mapping or a list (read '5')"),
        ("time: slow", "1:7: time: expected '<family> <mean>', e.g. 'constant 12ms' (read 'slow')"),
        (
            "time: constnt 5s",
            "1:7: time: family must be one of constant, lognormal (read 'constnt 5s'); did you mean 'constant'?",
        ),
        ("time: constant 5s x", "1:7: time: cv must be a number greater than 0 and at most 20 (read 'constant 5s x')"),
        ("time: {family: constant}", "1:1: time.mean: is required"),
        ("time: 5", "1:7: time: must be a mapping (read '5')"),
        ("window: {opens: 5s, closes: 1s}", "1:1: window: must not close before it opens"),
        ("windows: {opens: 5, closes: 6s}", "1:18: windows.opens: needs a unit, e.g. '5s' (read '5'); did you mean '5s'?"),
        ("windows: [{opens: 5s}]", "1:11: windows.0.closes: is required"),
        ("windows: 5", "1:10: windows: needs a unit, e.g. '5s' (read '5'); did you mean '5s'?"),
        ("starts: tomorrow", "1:9: starts: must be a date and time, such as '2025-03-14T09:00:00+01:00' (read 'tomorrow')"),
        (
            "begins: 2025-03-14T09:00:00",
            "1:9: begins: must be a date and time with its offset, such as '2025-03-14T09:00:00+01:00' (read '2025-03-14T09:00:00')",
        ),
        ("levle: page", "1:1: levle: unknown key; did you mean 'level'?"),
    ],
)
def test_a_mistake_is_one_line_in_plain_words(written: str, expected: str) -> None:
    assert lines(lambda: validate(Day, parse_yaml(written, "day.yaml"))) == [f"day.yaml:{expected}"]


def test_an_unknown_key_that_is_like_none_lists_the_keys() -> None:
    assert lines(lambda: validate(Window, parse_yaml("opens: 1s\ncloses: 2s\nzzz: 1\n", "w.yaml"))) == [
        "w.yaml:3:1: zzz: unknown key; allowed here: opens, closes"
    ]


def test_a_key_that_is_there_already_is_not_suggested() -> None:
    assert lines(lambda: validate(Window, parse_yaml("opens: 1s\ncloses: 2s\nopen: 1s\n", "w.yaml"))) == [
        "w.yaml:3:1: open: unknown key; allowed here: opens, closes"
    ]


def test_a_missing_key_is_told_at_the_key_of_its_mapping() -> None:
    assert lines(lambda: validate(Nested, parse_yaml("# a comment\nsystem:\n  opens: 1s\n", "n.yaml"))) == [
        "n.yaml:2:1: system.closes: is required"
    ]
    assert lines(lambda: validate(Nested, parse_yaml("day: {}\n", "n.yaml"))) == ["n.yaml:1:1: system: is required"]


def test_all_problems_come_at_once_in_the_order_they_stand() -> None:
    text = "zones: [A]\nslots: 0\nsystm: 1\nwait: 5\nrules:\n  a: {kind: x}\n  b: {kind: probe, probe: p, failurs: 1}\n"
    assert [line.split(": ")[0] for line in lines(lambda: validate(Day, parse_yaml(text, "d")))] == [
        "d:1:9",
        "d:2:8",
        "d:3:1",
        "d:4:7",
        "d:6:13",
        "d:7:30",
    ]


def test_a_good_document_becomes_the_model() -> None:
    text = "wait: 5m\nratio: 50%\nname: shop\nrules: {a: {kind: threshold, above: 1, for: 1m}}\ntime: lognormal 12ms 0.5\nwindows: [{opens: 1s, closes: 2s}]\n"
    day = validate(Day, parse_yaml(text, "day.yaml"))
    rule = day.rules["a"]
    assert (day.wait, day.ratio, day.name) == (300.0, 0.5, "shop")
    assert isinstance(rule, ThresholdRule)
    assert rule.hold == 60.0
    assert day.time == Times(family="lognormal", mean=0.012, cv=0.5)
    assert day.windows == [Window(opens=1.0, closes=2.0)]


def test_positions_lead_to_the_included_file_and_the_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text("slots: 0\nport: 1\nzones: [a]\n", encoding="utf-8")
    Path("day.yaml").write_text("include: [base.yaml]\nlevel: pge\n", encoding="utf-8")
    document = apply_overrides(read_with_includes("day.yaml"), ["port=0", "zones.0=B"])
    assert lines(lambda: validate(Day, document)) == [
        "--set port=0: port: must be a whole number from 1 to 65535 (read '0')",
        "--set zones.0=B: zones.0: must be a name of lower-case letters, digits, '-', '_' and '.' (read 'B'); did you mean 'b'?",
        "base.yaml:1:8: slots: must be a whole number of at least 1 (read '0')",
        "day.yaml:2:8: level: must be one of page, ticket (read 'pge'); did you mean 'page'?",
    ]


def test_checks_collect_problems_between_parts() -> None:
    document = parse_yaml("services:\n  cart: {calls: chekout}\n  checkout: {}\nowners: {crt: shop}\nlist: [x, y]\n", "d.yaml")
    checks = Checks(document)
    checks.raise_if_any()
    services = list(document.data["services"])
    checks.problem(("owners", "crt"), "is no service", of_key=True, candidates=services)
    checks.problem(("services", "cart", "calls"), "is no service", candidates=services)
    checks.problem(("services", "cart"), "has no owner")
    checks.problem(("list", 1), "is wrong", value="shown instead", candidates=["show instead"])
    checks.problem(("services", "cart", "port"), "is needed here")
    assert lines(checks.raise_if_any) == [
        "d.yaml:2:3: services.cart: has no owner",
        "d.yaml:2:9: services.cart.port: is needed here",
        "d.yaml:2:17: services.cart.calls: is no service (read 'chekout'); did you mean 'checkout'?",
        "d.yaml:4:10: owners.crt: is no service (read 'crt'); did you mean 'cart'?",
        "d.yaml:5:11: list.1: is wrong (read 'shown instead'); did you mean 'show instead'?",
    ]


JARGON = re.compile(
    r"Input should|function-|valid (string|integer|number|dictionary|list)|_type|extra_forbidden|union_tag|tagged-union|Value error|constrained"
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 100_000),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(
            [
                "5s",
                "5",
                "x",
                "page",
                "99%",
                "-1s",
                "constant 5s",
                "constant x",
                "probe",
                "threshold",
                "2025-01-01T00:00:00Z",
                "A B",
            ]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["a", "kind", "probe", "above", "for", "opens", "closes", "family", "mean", "X"]), inner, max_size=4
        ),
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.one_of(st.sampled_from(sorted(Day.model_fields)), st.text("abc", min_size=1)), VALUES, min_size=1, max_size=4
    )
)
def test_whatever_is_written_becomes_the_model_or_plain_lines_with_places(data: dict[str, object]) -> None:
    document = parse_yaml(json.dumps(data), "day.yaml")
    problems: list[Problem] = []
    try:
        validate(Day, document)
    except BadInput as bad:
        problems = bad.problems
    for problem in problems:
        assert problem.line == 1
        assert problem.column
        assert not JARGON.search(problem.message), problem.message
        assert problem.field.split(".")[0] in data
    elsewhere = [(problem.field, problem.column, problem.value) for problem in problems if problem.field != "time"]
    assert len(set(elsewhere)) == len(elsewhere), "one value, one problem"
