"""`--set path=value`: what it changes, how elements are addressed, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.errors import BadInput
from gameday.scenario.overrides import apply_overrides
from gameday.scenario.reading import parse_yaml
from gameday.scenario.tree import Position

DAY = """\
policies:
  failover: {dns_ttl: 60s, mode: manual}
system:
  services:
    checkout: {slots: 4}
    shop.v1: {slots: 5}
    shop: {v1: {slots: 6}}
objectives:
  - {name: detect, target: 5m}
  - {name: mitigate.fast, target: 30m}
  - {name: twin, target: 1m}
  - {name: twin, target: 2m}
zones: [a, b]
empty: null
"""


def after(*assignments: str) -> dict[str, object]:
    """The day's data with the assignments applied."""
    return apply_overrides(parse_yaml(DAY, "day.yaml"), assignments).data


def lines(call: Callable[[], object]) -> list[str]:
    """The problems the call raises, one line each."""
    with pytest.raises(BadInput) as caught:
        call()
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("assignment", "path", "value"),
    [
        ("policies.failover.dns_ttl=30s", ("policies", "failover", "dns_ttl"), "30s"),
        ("system.services.checkout.slots=8", ("system", "services", "checkout", "slots"), 8),
        ("objectives.0.target=10m", ("objectives", 0, "target"), "10m"),
        ("objectives.detect.target=10m", ("objectives", 0, "target"), "10m"),
        ("objectives.mitigate.fast.target=10m", ("objectives", 1, "target"), "10m"),
        ("zones.1=c", ("zones", 1), "c"),
        ("zones=[x, y]", ("zones",), ["x", "y"]),
        ("policies.failover={mode: none}", ("policies", "failover"), {"mode": "none"}),
        ("policies.failover.mode=null", ("policies", "failover", "mode"), None),
        ("policies.failover.mode=", ("policies", "failover", "mode"), None),
        ("policies.failover.mode=a=b", ("policies", "failover", "mode"), "a=b"),
        ("policies.new.deep.key=true", ("policies", "new", "deep", "key"), True),
        ("empty.now.filled=1", ("empty", "now", "filled"), 1),
        ("title='quoted: text'", ("title",), "quoted: text"),
        ("system.services.shop.v1.slots=9", ("system", "services", "shop.v1", "slots"), 9),
    ],
)
def test_an_assignment_changes_one_value(assignment: str, path: tuple[str | int, ...], value: object) -> None:
    found: object = after(assignment)
    for part in path:
        found = found[part]  # type: ignore[index]
    assert found == value


def test_the_longest_existing_key_is_taken_where_keys_hold_dots() -> None:
    services = after("system.services.shop.v1.slots=9")["system"]["services"]  # type: ignore[index]
    assert services == {"checkout": {"slots": 4}, "shop.v1": {"slots": 9}, "shop": {"v1": {"slots": 6}}}


def test_assignments_apply_in_order_and_leave_the_document_alone() -> None:
    document = parse_yaml(DAY, "day.yaml")
    before = parse_yaml(DAY, "day.yaml").data
    changed = apply_overrides(document, ["a.b=1", "a.b=2", "a.c=3"])
    assert changed.data["a"] == {"b": 2, "c": 3}
    assert document.data == before


def test_a_value_that_was_set_has_the_argument_as_its_place() -> None:
    document = apply_overrides(parse_yaml(DAY, "day.yaml"), ["policies.failover.dns_ttl=30"])
    assert document.position(("policies", "failover", "dns_ttl")) == Position("--set policies.failover.dns_ttl=30", None, None)
    assert document.position(("policies", "failover", "mode")).file == "day.yaml"
    assert document.position(("policies", "failover"), of_key=True) == Position("day.yaml", 2, 3)


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("policies", "--set policies: must be path=value, e.g. policies.failover.dns_ttl=30s"),
        ("=5", "--set =5: must be path=value, e.g. policies.failover.dns_ttl=30s"),
        ("a..b=5", "--set a..b=5: must be path=value, e.g. policies.failover.dns_ttl=30s"),
        (
            "objectives.4.target=1m",
            "--set objectives.4.target=1m: objectives.4: there is no element 4; elements count from 0, the last is 3",
        ),
        (
            "objectives.detct.target=1m",
            "--set objectives.detct.target=1m: objectives.detct: must be the index of an element, or its name; did you mean 'detect'?",
        ),
        (
            "objectives.twin.target=1m",
            "--set objectives.twin.target=1m: objectives.twin: 2 elements have this name; use an index, e.g. 2",
        ),
        ("zones.-1=c", "--set zones.-1=c: zones.-1: must be the index of an element, or its name"),
        (
            "policies.failover.mode.x=1",
            "--set policies.failover.mode.x=1: policies.failover.mode.x: cannot be set: policies.failover.mode is a single value, not a mapping (read 'manual')",
        ),
        (
            "a=b: c",
            "--set a=b: c: a: must be a single value, or a list [a, b] or mapping {a: b} in brackets",
        ),
        ("a=[1, 2", "--set a=[1, 2: a: is not valid YAML: did not find expected ',' or ']' (while parsing a flow sequence)"),
        ("a={b: 1, b: 2}", "--set a={b: 1, b: 2}: a.b: this key is already there, in the same mapping"),
        (
            "a=010",
            "--set a=010: a: a number must not start with 0 (readers disagree whether 010 is 8 or 10): drop the 0, or quote it if it is text (read '010')",
        ),
        ("a=\udcff", "--set a=\\udcff: a: holds the character U+DCFF, which YAML does not allow"),
    ],
)
def test_a_wrong_assignment_is_told_in_one_line(assignment: str, expected: str) -> None:
    assert lines(lambda: after(assignment)) == [expected]


def test_the_problems_of_all_assignments_come_together() -> None:
    assert len(lines(lambda: after("zones.7=c", "ok=1", "nonsense"))) == 2


def test_a_path_without_end_is_refused() -> None:
    problems = lines(lambda: after(".".join(["a"] * 5000) + "=1"))
    assert problems == ["--set " + ".".join(["a"] * 36) + "...: a path has at most 40 parts"]


@given(
    st.lists(
        st.one_of(
            st.text(max_size=20),
            st.from_regex(r"(policies|zones|objectives|0|detect)(\.[a-z0-9]{1,8}){0,3}=.{0,5}", fullmatch=True),
        ),
        max_size=3,
    )
)
def test_any_assignment_is_applied_or_bad_input(assignments: list[str]) -> None:
    bad: BadInput | None = None
    try:
        changed = after(*assignments)
    except BadInput as caught:
        bad = caught
    if bad is None:
        assert changed.keys() >= {"system", "policies", "objectives"} - {
            assignment.partition("=")[0] for assignment in assignments
        }
    else:
        assert len(str(bad).splitlines()) == len(bad.problems)
