"""Regulatory clocks: anchors, duties, deadlines; golden tables of two deadlines that are not plain differences."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.clocks import ClockEvent, ClockMachine
from gameday.regimes import dora_initial_due, sec_8k_due
from gameday.scenario.communication import RegulatoryClock

H = 3600.0


def clock(**changes: Any) -> ClockMachine:
    plan = {"regime": "NIS2 Art. 23(4)(a)", "within": "24h", "audience": "regulator", **changes}
    return ClockMachine("early_warning", RegulatoryClock.model_validate(plan))


def story(events: list[ClockEvent]) -> list[tuple[str, float, float, float | None]]:
    return [(event.change, event.at, event.due_s, event.margin_s) for event in events]


def test_a_clock_does_not_run_before_its_anchor() -> None:
    machine = clock()
    assert machine.tick(1e9) == []
    assert (machine.state, machine.next_at()) == ("not-started", None)


def test_the_anchor_starts_it_and_a_notice_meets_it() -> None:
    machine = clock()
    assert story(machine.happened("incident.declared", 100)) == [("started", 100, 100 + 24 * H, None)]
    assert story(machine.published("regulator", 100 + 20 * H)) == [("met", 100 + 20 * H, 100 + 24 * H, 4 * H)]
    assert (machine.state, machine.next_at()) == ("met", None)


@pytest.mark.parametrize("anchor", ["impact.started", "page.acknowledged", "incident.declared"])
def test_only_the_clocks_own_anchor_starts_it(anchor: str) -> None:
    machine = clock(anchor=anchor)
    for kind in ("impact.started", "page.acknowledged", "incident.declared"):
        machine.happened(kind, 10)
        assert (machine.state == "running") == (kind == anchor)
        if kind == anchor:
            break


def test_the_first_anchor_counts() -> None:
    machine = clock(anchor="page.acknowledged")
    machine.happened("page.acknowledged", 10)
    assert machine.happened("page.acknowledged", 500) == []
    assert machine.due_s == 10 + 24 * H


def test_a_message_to_another_audience_does_not_meet_it() -> None:
    machine = clock()
    machine.happened("incident.declared", 0)
    assert machine.published("customers", 10) == []
    assert machine.state == "running"


def test_it_is_late_once_the_time_is_over_and_stays_late() -> None:
    machine = clock(within="1h")
    machine.happened("incident.declared", 0)
    due = machine.next_at()
    assert due == pytest.approx(H)
    assert due is not None
    assert [event.change for event in machine.tick(due)] == ["late"]
    assert machine.tick(2 * H) == []
    assert machine.published("regulator", 2 * H) == []
    assert (machine.state, machine.met_s, machine.next_at()) == ("late", 2 * H, None)


def test_a_notice_exactly_when_it_is_due_is_in_time() -> None:
    machine = clock(within="1h")
    machine.happened("incident.declared", 0)
    assert story(machine.published("regulator", H)) == [("met", H, H, 0)]


def test_a_notice_after_the_time_is_late_even_if_nobody_looked_in_between() -> None:
    machine = clock(within="1h")
    machine.happened("incident.declared", 0)
    assert [event.change for event in machine.published("regulator", H + 1)] == ["late"]


def test_a_notice_before_the_anchor_meets_the_clock_when_it_starts() -> None:
    machine = clock()
    machine.published("regulator", 50)
    assert [event.change for event in machine.happened("incident.declared", 100)] == ["started", "met"]
    assert machine.state == "met"


def test_a_short_impact_creates_no_duty() -> None:
    machine = clock(when_impact_longer_than="30m")
    machine.happened("impact.started", 0)
    machine.happened("incident.declared", 60)
    assert machine.next_at() == 1800
    machine.happened("impact.ended", 1799)
    assert machine.tick(1e6) == []
    assert (machine.state, machine.next_at()) == ("not-started", None)


def test_the_duty_begins_when_the_impact_has_lasted_long_enough() -> None:
    machine = clock(when_impact_longer_than="30m")
    machine.happened("impact.started", 0)
    machine.happened("incident.declared", 60)
    assert story(machine.tick(1800)) == [("started", 1800, 1800 + 24 * H, None)]
    machine.happened("impact.ended", 2000)
    assert machine.state == "running"


def test_an_anchor_after_the_duty_starts_the_clock_itself() -> None:
    machine = clock(when_impact_longer_than="30m")
    machine.happened("impact.started", 0)
    machine.tick(1800)
    assert story(machine.happened("incident.declared", 5000)) == [("started", 5000, 5000 + 24 * H, None)]


def test_a_duty_that_began_while_nobody_looked_is_found_at_the_end_of_the_impact() -> None:
    machine = clock(when_impact_longer_than="30m")
    machine.happened("impact.started", 0)
    machine.happened("incident.declared", 60)
    assert [event.at for event in machine.happened("impact.ended", 4000)] == [1800]


def test_two_short_impacts_are_not_one_long_one() -> None:
    machine = clock(when_impact_longer_than="30m")
    machine.happened("incident.declared", 0)
    for start in (0, 1200):
        machine.happened("impact.started", start)
        machine.happened("impact.ended", start + 1000)
    assert machine.tick(10_000) == []


@given(st.floats(0, 1e5), st.floats(0, 1e5), st.none() | st.floats(0, 3e5), st.sampled_from([0, 1800, 7200]))
def test_every_clock_that_started_is_met_or_late_in_the_end(
    anchor: float, impact: float, notice: float | None, longer: int
) -> None:
    machine = clock(within="10h", when_impact_longer_than=longer)
    happenings = [(impact, "impact.started"), (anchor, "incident.declared")]
    if notice is not None:
        happenings.append((notice, "notice"))
    events = []
    for at, kind in sorted(happenings):
        events += machine.published("regulator", at) if kind == "notice" else machine.happened(kind, at)
    for _ in range(3):
        due = machine.next_at()
        if due is not None:
            events += machine.tick(max(due, anchor, impact, notice or 0))
    assert [event.change for event in events] in (["started", "met"], ["started", "late"])
    start = max(anchor, impact + longer) if longer else anchor
    in_time = notice is not None and notice <= start + 10 * H
    assert machine.state == ("met" if in_time else "late")


@pytest.mark.parametrize(
    ("aware", "classified", "due"),
    [
        ((5, 8, 0), (5, 10, 0), (5, 14, 0)),
        ((5, 8, 0), (6, 6, 0), (6, 8, 0)),
        ((5, 8, 0), (6, 8, 0), (6, 8, 0)),
        ((5, 8, 0), (6, 9, 0), (6, 13, 0)),
    ],
)
def test_dora_counts_from_classification_but_not_beyond_a_day_of_awareness(
    aware: tuple[int, int, int], classified: tuple[int, int, int], due: tuple[int, int, int]
) -> None:
    def january(day: int, hour: int, minute: int) -> datetime:
        return datetime(2026, 1, day, hour, minute, tzinfo=UTC)

    assert dora_initial_due(january(*aware), january(*classified)) == january(*due)


@pytest.mark.parametrize(
    ("determined", "due"),
    [
        (date(2026, 7, 10), date(2026, 7, 16)),
        (date(2026, 7, 11), date(2026, 7, 16)),
        (date(2026, 7, 13), date(2026, 7, 17)),
        (date(2026, 7, 14), date(2026, 7, 20)),
    ],
)
def test_the_8k_is_due_four_business_days_after_the_determination(determined: date, due: date) -> None:
    assert sec_8k_due(determined) == due


def test_a_holiday_is_no_business_day() -> None:
    assert sec_8k_due(date(2026, 7, 1), [date(2026, 7, 3)]) == date(2026, 7, 8)
