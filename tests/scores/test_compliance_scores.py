"""Compliance scores on hand-written days."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.scores.model import Evidence, Grade, Recording
from gameday.scores.scoring import score
from gameday.timeline import Event, Timeline
from tests.scores.days import Day

CLOCKS, MARGIN, EVIDENCE = "compliance.clocks", "compliance.margin", "compliance.evidence"


def day(within_s: float = 600, **clock: Any) -> Day:
    plan = {
        "audiences": {"authority": {"channel": "portal"}},
        "clocks": {"early": {"regime": "NIS2", "within": within_s, "audience": "authority", **clock}},
    }
    return Day(communication=plan).impact(610, 2000).at(900, "incident.declared", severity="sev1")


def started(made: Day, t: float = 900, due_s: float = 1500) -> Day:
    return made.at(t, "clock.started", "clock/early", clock="early", regime="NIS2", anchor="incident.declared", due_s=due_s)


def ended(made: Day, t: float, how: str, margin_s: float) -> Day:
    return made.at(t, f"clock.{how}", "clock/early", clock="early", regime="NIS2", due_s=1500, margin_s=margin_s)


def test_a_clock_that_was_met_is_fine() -> None:
    made = ended(started(day()).say(1400, "authority"), 1400, "met", 100)
    assert made.result(CLOCKS).grade is Grade.P
    assert made.result(MARGIN).value == 100


def test_a_clock_that_ran_out_is_a_hard_failure() -> None:
    for made in (started(day()), started(day()).say(1600, "authority"), ended(started(day()), 1501, "late", -1)):
        result = made.result(CLOCKS)
        assert (result.value, result.hard_failure) == (1, True)


def test_a_clock_that_nobody_started_is_judged_all_the_same() -> None:
    assert day().result(CLOCKS).hard_failure
    assert day().say(1400, "authority").result(CLOCKS).grade is Grade.P
    assert day().say(1400, "authority").result(MARGIN).value == 100


def test_a_clock_that_was_started_too_late_is_missed_even_when_its_own_time_was_kept() -> None:
    made = started(day(within_s=7200), due_s=9000).say(1400, "authority")
    assert (made.result(CLOCKS).note, made.result(CLOCKS).value) == ("early was started 15m too late", 1)


def test_a_clock_that_still_runs_at_the_end_is_not_missed() -> None:
    made = started(day(within_s=86_400), due_s=87_300)
    assert made.result(CLOCKS).grade is Grade.P
    assert made.result(MARGIN).grade is Grade.NOT_APPLICABLE


@pytest.mark.parametrize(("longer_than", "missed"), [(1000.0, True), (1391.0, None)])
def test_a_duty_that_needs_a_long_impact_begins_when_it_has_lasted(longer_than: float, missed: bool | None) -> None:
    result = day(when_impact_longer_than=longer_than).result(CLOCKS)
    assert result.hard_failure if missed else result.grade is Grade.NOT_APPLICABLE


def test_impacts_that_overlap_count_as_one_long_one() -> None:
    assert day(when_impact_longer_than=1600.0).impact(1900, 2500, "browse").result(CLOCKS).hard_failure


def test_a_clock_whose_anchor_never_came_does_not_run() -> None:
    assert day(anchor="page.acknowledged").result(CLOCKS).grade is Grade.NOT_APPLICABLE
    assert Day().impact(610, 2000).result(CLOCKS).note == "there is no regulatory clock"


def test_a_clock_of_a_regime_that_the_scenario_does_not_have_is_judged_by_its_record() -> None:
    made = Day().impact(610, 2000).at(900, "clock.started", "clock/x", clock="x", regime="SEC", due_s=1500)
    assert made.result(CLOCKS).hard_failure


def test_a_whole_record_is_whole() -> None:
    assert Day().impact(610, 2000).page(650, acknowledged=700).result(EVIDENCE).grade is Grade.P


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("page.acknowledged", {"page": "lost", "person": "ana"}),
        ("clock.met", {"clock": "early", "regime": "NIS2"}),
        ("action.succeeded", {"action": "restart", "target": "service/shop"}),
    ],
)
def test_an_end_without_its_beginning_is_a_gap(kind: str, data: dict[str, str]) -> None:
    result = Day().at(700, kind, **data).result(EVIDENCE)
    assert (result.value, result.note) == (0, f"{kind} at 11m40s without its beginning")


def test_a_run_that_broke_off_or_went_on_after_its_end_is_not_whole() -> None:
    assert Day(end_s=None).at(700, "note", text="x").result(EVIDENCE).value == 0
    assert Day().at(3700, "note", text="x").result(EVIDENCE).value == 0
    assert Day().at(3700, "postmortem.published").result(EVIDENCE).value == 1


def test_a_live_fault_needs_its_proof_and_a_simulated_one_does_not() -> None:
    assert Day().fault(600, "kill region/eu-1").result(EVIDENCE).value == 1
    live = Day()
    live.source = "live"
    assert live.fault(600, "kill region/eu-1").result(EVIDENCE).note == "nothing proves that kill region/eu-1 bit"
    assert live.at(601, "fault.proven", "region/eu-1", index=0, probe="no answer").result(EVIDENCE).value == 1


def test_warnings_of_the_reader_and_missing_keys_are_gaps_but_foreign_kinds_are_not() -> None:
    made = Day()
    foreign = Event(700, "weather.changed", "sky", "live", {})
    broken = Event(700, "page.sent", "x", "sim", {})
    assert score(Recording(Timeline({}, [*made.events, foreign])), made.scenario).result(EVIDENCE).value == 1
    assert score(Recording(Timeline({}, [*made.events, broken])), made.scenario).result(EVIDENCE).value == 0
    warned = Timeline({}, made.events, ["timeline.jsonl:9: the last line is cut off"])
    assert score(Recording(warned), made.scenario).result(EVIDENCE).note == "timeline.jsonl:9: the last line is cut off"


def test_evidence_points_into_the_timeline() -> None:
    made = Day().impact(610, 2000).page(650)
    timeline = made.recording().timeline
    for result in made.card().results:
        for one in result.evidence:
            event = timeline[one.index]
            assert one == Evidence(one.index, event.t, event.kind, event.subject)
