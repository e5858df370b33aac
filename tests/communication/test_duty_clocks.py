"""Clocks of legal duties in a run: the machine, the same answers as the functions of the law, and the scores on hand-written days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.duty_clock import DutyMachine, OutageMeter, reaches
from gameday.regimes import DUTIES, Anchors, Calendar, Outage
from gameday.scenario.regulation import LegalDuty
from tests.people.small import fixed, merged, play
from tests.scores.days import Day

MONDAY = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
HOUR, DAY_S = 3600.0, 86_400.0


def machine(
    name: str, starts: datetime = MONDAY, days: Calendar | None = None, before: str | None = None, **plan: Any
) -> DutyMachine:
    return DutyMachine(name, LegalDuty(audience="authority", **plan), days or Calendar(), starts, before)


def hurt(clock: DutyMachine, now: float = 0.0) -> DutyMachine:
    clock.happened("impact.started", now)
    return clock


# -- the machine --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classified_h", "due_h"),
    [(1.0, 5.0), (22.0, 24.0), (23.0, 24.0), (24.0, 24.0), (25.0, 29.0)],
    ids=["soon", "golden: aware Mon 08:00, classified Tue 06:00, due Tue 08:00", "late", "at a day", "Art. 5(2)"],
)
def test_the_initial_notice_of_dora_is_due_by_classification_and_awareness(classified_h: float, due_h: float) -> None:
    clock = hurt(machine("dora.initial"))
    assert clock.happened("page.acknowledged", 0.0) == []
    [started] = clock.happened("incident.classified", classified_h * HOUR)
    assert (started.change, started.due_s) == ("started", due_h * HOUR)


def test_a_deadline_on_a_weekend_moves_to_monday_noon_unless_there_is_no_relief() -> None:
    friday = datetime(2026, 1, 9, 20, 0, tzinfo=UTC)
    for relief, due in ((True, datetime(2026, 1, 12, 12, 0, tzinfo=UTC)), (False, datetime(2026, 1, 10, 1, 0, tzinfo=UTC))):
        clock = hurt(machine("dora.initial", friday, Calendar(weekend_relief=relief)))
        clock.happened("incident.declared", 0.0)
        [started] = clock.happened("incident.classified", HOUR)
        assert friday + timedelta(seconds=started.due_s) == due


def test_what_came_before_users_were_hurt_is_no_awareness() -> None:
    clock = machine("gdpr.authority")
    clock.happened("page.acknowledged", 100.0)
    assert clock.state == "not-started"
    hurt(clock, 200.0)
    [started] = clock.happened("page.acknowledged", 300.0)
    assert started.due_s == 300.0 + 72 * HOUR


def test_without_its_anchor_a_clock_never_runs_and_is_never_late() -> None:
    clock = hurt(machine("sec.8k"))
    clock.happened("incident.declared", 0.0)
    assert clock.tick(40 * DAY_S) == []
    assert (clock.state, clock.next_at()) == ("not-started", None)


def test_a_notice_that_follows_another_counts_from_that_and_cannot_come_before_it() -> None:
    clock = hurt(machine("dora.intermediate", before="initial"))
    assert clock.published("authority", 10.0) == []
    assert clock.met_s is None
    [started] = clock.published("initial", 100.0)
    assert (started.anchor, started.due_s) == ("initial_sent", 100.0 + 72 * HOUR)
    [met] = clock.published("authority", 200.0)
    assert (met.change, met.margin_s) == ("met", 72 * HOUR - 100.0)


def test_a_notice_when_it_is_due_is_in_time_and_the_next_instant_is_late() -> None:
    for late_s, change in ((0.0, "met"), (1.0, "late")):
        clock = hurt(machine("gdpr.authority"))
        clock.happened("incident.declared", 0.0)
        events = clock.published("authority", 72 * HOUR + late_s)
        assert [event.change for event in events] == [change]


def test_a_duty_from_some_size_on_counts_from_the_moment_it_is_reached() -> None:
    clock = hurt(machine("nis2.early_warning", only_if="nis2_significant"))
    clock.happened("page.acknowledged", 60.0)
    assert clock.measured(Outage(unavailable_s=1800.0), 1800.0) == []
    [started] = clock.measured(Outage(unavailable_s=1801.0), 1801.0)
    assert (started.at, started.due_s) == (1801.0, 1801.0 + 24 * HOUR)


@given(
    name=st.sampled_from(
        ["gdpr.authority", "nis2.early_warning", "nis2.notification", "dora.initial", "sec.8k", "nydfs.notice", "hipaa.notice"]
    ),
    aware_s=st.integers(0, 300_000),
    after_s=st.one_of(st.integers(0, 300_000), st.integers(70_000, 90_000)),
    relief=st.booleans(),
    trust=st.booleans(),
)
def test_a_run_and_the_table_of_the_law_agree(name: str, aware_s: int, after_s: int, relief: bool, trust: bool) -> None:
    days = Calendar(weekend_relief=relief, trust_service=trust)
    clock = hurt(machine(name, days=days))
    clock.happened("page.acknowledged", float(aware_s))
    clock.happened("incident.classified", float(aware_s + after_s))
    aware, classified = (MONDAY + timedelta(seconds=at) for at in (aware_s, aware_s + after_s))
    anchors = Anchors(aware=aware, discovered=aware, classified=classified, determined=classified)
    due = DUTIES[name].due(anchors, days)
    assert due is not None
    assert clock.due_s is not None
    assert MONDAY + timedelta(seconds=clock.due_s) == due


def test_the_meter_counts_the_longest_stretch_without_a_break() -> None:
    meter = OutageMeter(["buy"])
    shares = [(0.0, 0.0), (60.0, 1.0), (120.0, 1.0), (180.0, 0.3), (240.0, 0.0), (300.0, 1.0), (360.0, 1.0), (420.0, 1.0)]
    for at, share in shares:
        outage = meter.look(at, {"buy": share}, 0.0)
    assert (outage.unavailable_s, outage.limited_s, outage.critical) == (120.0, 120.0, True)
    assert not reaches("nis2_significant", outage)
    assert reaches("nis2_significant", OutageMeter([]).look(0.0, {}, 600_000.0))
    assert not reaches("nis2_significant", OutageMeter([], counts_money=False).look(0.0, {}, 600_000.0))


# -- the scores ---------------------------------------------------------------------------------------------------------

CLOCKS, ANCHORS = "compliance.clocks", "compliance.anchors"


def day(duties: dict[str, Any], end_s: float = 3600.0, **regulation: Any) -> Day:
    audiences = {each["audience"]: {"channel": "portal", "severities": ["sev1"]} for each in duties.values()}
    plan = {"audiences": audiences, "regulation": {"duties": duties, "classified_by": "incident_commander", **regulation}}
    return Day(end_s, communication=plan)


DORA = {"dora.initial": {"audience": "initial"}, "dora.intermediate": {"audience": "intermediate"}}


def states(made: Day) -> dict[str, str]:
    note = made.result(ANCHORS).note
    return {part.split()[0]: part.split()[1] for part in note.split(". ", 1)[0].split("; ") if part}


def test_each_of_the_six_states_is_told_with_what_is_left_and_that_it_is_no_legal_advice() -> None:
    duties = {**DORA, "gdpr.authority": {"audience": "dpa"}, "nydfs.extortion": {"audience": "ny"}, "sec.8k": {"audience": "sec"}}
    made = day(duties).impact(600, 900).page(620, acknowledged=700)
    assert set(made.result(ANCHORS).note.split("; ")) >= {"dora.initial anchor-missing (classified)"}
    assert "Not legal advice" in made.result(ANCHORS).note
    found = made.result(ANCHORS)
    assert found.value == 2, "dora.initial and sec.8k wait for a classification"
    for words in ("gdpr.authority running", "dora.intermediate not-started", "nydfs.extortion not-applicable"):
        assert words in found.note
    done = (
        day(DORA)
        .impact(600, 900)
        .page(620, acknowledged=700)
        .at(1000, "incident.classified", by="cleo", role="x")
        .say(1200, "initial")
    )
    assert "dora.initial met (3h56m40s left)" in done.result(ANCHORS).note
    assert "dora.intermediate running" in done.result(ANCHORS).note
    assert done.result(ANCHORS).value == 0
    assert done.result(CLOCKS).value == 0


def test_a_legal_clock_that_ran_out_is_a_hard_failure_and_one_without_an_anchor_is_none() -> None:
    long = 30 * HOUR
    late = day(DORA, long).impact(600, 900).page(620, acknowledged=700).at(1000, "incident.classified", by="cleo", role="x")
    assert late.result(CLOCKS).hard_failure
    assert "dora.initial late" in late.result(ANCHORS).note
    unclassified = day(DORA, long).impact(600, 900).page(620, acknowledged=700)
    assert not unclassified.result(CLOCKS).hard_failure
    assert unclassified.result(ANCHORS).value == 1


def test_nothing_is_due_where_nobody_was_hurt_or_the_outage_was_small() -> None:
    assert day(DORA).page(620, acknowledged=700).result(ANCHORS).value == 0
    nis2 = {"nis2.early_warning": {"audience": "csirt", "only_if": "nis2_significant"}}
    small = day(nis2).requests(hurt=(600.0, 1800.0), good=0.0).impact(600, 1800).page(620, acknowledged=700)
    assert "nis2.early_warning not-applicable" in small.result(ANCHORS).note
    large = day(nis2).requests(hurt=(600.0, 3000.0), good=0.0).impact(600, 3000).page(620, acknowledged=700)
    assert "nis2.early_warning running" in large.result(ANCHORS).note


# -- in a simulated day -------------------------------------------------------------------------------------------------

PLAN: dict[str, Any] = {
    "communication": {
        "audiences": {"bank": {"channel": "portal", "severities": ["sev3"]}},
        "regulation": {"duties": {"dora.initial": {"audience": "bank"}}, "classified_by": "legal", "classify": fixed(300)},
    }
}


def test_somebody_classifies_and_the_law_asks_for_the_notice_even_afterwards() -> None:
    slow = merged(PLAN, {"communication": {"regulation": {"classify": fixed(1500)}}, "duration": "60m"})
    for plan in (PLAN, slow):
        played = play(plan, {"duration": "60m"})
        classified = played.first("incident.classified")
        assert (classified.data["by"], classified.data["duties"]) == ("di", ["dora.initial"])
        assert played.first("clock.started").t == classified.t
        assert played.of("message.published", audience="bank")
        assert played.of("clock.met", clock="dora.initial")
    assert played.first("incident.resolved").t < played.first("incident.classified").t


def test_where_nobody_classifies_no_clock_runs_and_the_day_goes_on() -> None:
    office = {"starts": "2026-03-02T02:00:00+00:00", "response": {"people": {"di": {"only_in_office": True}}}}
    played = play(PLAN, office)
    assert played.notes("nobody of the role of legal classifies the incident yet")
    assert not played.of("clock.started", "incident.classified")
    assert played.of("run.ended")
