"""The roll-up: crashes, missing evidence, hard failures, reasons; and laws that every scorer keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.scores import Grade, Recording, Scorecard, score
from gameday.scores.case import Case
from gameday.scores.incidents import Incident
from gameday.scores.kpis import DIMENSIONS, KPIS, Target
from gameday.scores.model import Measure, measured, never, not_applicable, unknown
from gameday.scores.registry import Scorer, all_scorers, per_incident, per_run
from gameday.timeline import Event, Series, SeriesSet, Timeline
from tests.scores.days import END_S, Day, scenario

DETECT, MITIGATE, SPLIT = "detection.time_to_detect", "response.time_to_mitigate", "failover.split_brain_s"


def full_day(**changes: Any) -> Day:
    """A day on which about everything happens."""
    day = Day(policies__shedding={"enabled": True, "services": {"shop": {}}}, **changes)
    day.fault(600, "kill region/eu-1", until=2000).impact(610, 1700).requests((610, 700)).requests(origin="east")
    day.at(640, "alert.firing", "class/checkout", rule="checkout-errors").page(680).page(980, "bo", level=2, acknowledged=1000)
    day.at(650, "failover.triggered", "region/eu-1", failover="regions", by="controller")
    day.at(700, "failover.completed", "region/eu-1", failover="regions")
    day.at(690, "failover.promoted", "database/orders", failover="regions", lost_writes=3)
    day.at(695, "dns.changed", "shop.example", to="eu-2", ttl_s=60)
    day.at(1100, "incident.declared", "incident/1", severity="sev1", by="bo")
    day.at(1150, "incident.role", "incident/1", role="incident_commander", person="cleo")
    day.at(1160, "diagnosis.concluded", "incident/1", person="bo", hypothesis="region", correct=True)
    day.at(1200, "decision.made", "incident/1", decision="wait", by="cleo", why="it moves")
    day.say(1300, claims={"components": ["checkout"], "regions": ["eu-1"], "started_s": 610})
    day.say(1350, "support").say(1900, phase="resolved").at(1950, "incident.resolved", by="cleo")
    day.samples("dns.share", [0, 695, 800], [0, 0, 1], origin="west", region="eu-2")
    day.samples("database.primaries", [5], [1], database="orders")
    day.samples("service.instances", [5, 1000], [2, 3], service="shop", region="eu-1")
    day.rate("service.refused", [(620, 640, 2.0)], 5.0, service="shop", region="eu-1")
    counts = {"attempted": 10, "acknowledged": 9, "lost": 3, "oldest_lost_s": 2, "indeterminate": 1}
    return day.at(END_S, "writes.summary", "database/orders", database="orders", **counts)


def only(kpi: str, *measures: Measure) -> Scorer:
    return per_run(lambda case: measures, kpi)


def judged(*scorers: Scorer, **changes: Any) -> Scorecard:
    return score(Day(**changes).recording(), scenario(**changes), scorers)


def test_every_kpi_is_measured_by_exactly_one_scorer() -> None:
    measured_kpis = [kpi for scorer in all_scorers() for kpi in scorer.kpis]
    assert sorted(measured_kpis) == sorted(KPIS)


def test_on_a_full_day_no_scorer_crashes() -> None:
    card = full_day().card()
    assert [result.kpi for result in card.results] == list(KPIS)
    assert [result.note for result in card.results if "crashed" in result.note] == []
    assert {result.kpi for result in card.results if result.grade is Grade.UNKNOWN} == {
        "shedding.priority_inversions",
        "shedding.over_shedding",
    }


def test_on_a_quiet_day_nothing_is_passed_that_was_not_shown() -> None:
    card = Day().requests().card()
    assert card.incidents == 0
    passed = {result.kpi for result in card.results if result.grade is Grade.P}
    assert passed == {"detection.false_pages", "compliance.evidence"}


def test_an_empty_timeline_is_unknown_throughout() -> None:
    card = score(Recording(Timeline()), scenario())
    assert card.grade is Grade.UNKNOWN
    assert {result.grade for result in card.results} == {Grade.UNKNOWN}
    assert {result.note for result in card.results} == {"the timeline is empty"}


def test_a_run_that_ended_within_its_warm_up_is_unknown() -> None:
    assert Day(end_s=50).card().result(DETECT).note == "the run ended within its warm-up"


def test_a_crashing_scorer_makes_its_own_kpis_unknown_and_no_others() -> None:
    def crash(case: Case) -> Iterable[Measure]:
        yield measured(DETECT, 1.0)
        raise ZeroDivisionError("by\nzero")

    card = judged(per_run(crash, DETECT, "detection.recall"), only(MITIGATE, measured(MITIGATE, 1.0)))
    assert card.result(DETECT).grade is card.result("detection.recall").grade is Grade.UNKNOWN
    assert card.result(DETECT).note == "the scorer crashed: ZeroDivisionError: by zero"
    assert card.result(MITIGATE).value == 1.0
    assert card.dimensions["detection"].grade is Grade.UNKNOWN


def test_a_scorer_that_crashes_for_one_incident_spoils_that_one_only() -> None:
    def picky(case: Case, incident: Incident) -> Iterable[Measure]:
        assert incident.number == 1, "only the first"
        return [measured(DETECT, 1.0)]

    day = Day().impact(610, 900).impact(2000, 2400)
    card = score(day.recording(), day.scenario, [per_incident(picky, DETECT)])
    assert [result.grade for result in card.by_incident] == [Grade.P, Grade.UNKNOWN]
    assert card.result(DETECT).grade is Grade.UNKNOWN


@pytest.mark.parametrize(
    "measures",
    [(), (measured(MITIGATE, 1.0),), (measured(DETECT, 1.0), measured(DETECT, 2.0)), (measured(DETECT, float("nan")),)],
)
def test_a_scorer_must_measure_each_of_its_kpis_once_and_no_other(measures: tuple[Measure, ...]) -> None:
    assert judged(only(DETECT, *measures)).result(DETECT).grade is Grade.UNKNOWN


def test_a_dimension_is_as_good_as_its_worst_critical_kpi() -> None:
    not_critical = only("detection.precision", measured("detection.precision", 0.0))
    good, bad = only(DETECT, measured(DETECT, 10)), only(DETECT, measured(DETECT, 400, note="first page 6m40s after impact"))
    assert judged(not_critical, good).dimensions["detection"].grade is Grade.P
    late = judged(not_critical, bad, only("detection.recall", measured("detection.recall", 1))).dimensions["detection"]
    assert (late.grade, late.reason) == (Grade.S, "first page 6m40s after impact, target 5m")
    assert judged(not_critical).dimensions["detection"].grade is Grade.NOT_APPLICABLE


def test_a_run_is_as_good_as_its_worst_dimension() -> None:
    assert judged(only(DETECT, measured(DETECT, 400)), only(MITIGATE, not_applicable(MITIGATE, "x"))).grade is Grade.S
    assert judged(only(DETECT, measured(DETECT, 400)), only(MITIGATE, unknown(MITIGATE, "x"))).grade is Grade.UNKNOWN


def test_never_is_a_reason_with_how_long_it_was_waited_for() -> None:
    reason = judged(only(DETECT, never(DETECT, 3000, note="nobody was told"))).dimensions["detection"].reason
    assert reason == "nobody was told within 50m, target 5m"


def test_a_hard_failure_caps_dimension_and_run_even_when_the_scenario_is_lenient() -> None:
    lenient = {"objectives": [{"kpi": SPLIT, "target": "<= 1h"}]}
    card = judged(only(SPLIT, measured(SPLIT, 3, note="two primaries")), only(DETECT, measured(DETECT, 1)), **lenient)
    assert (card.grade, card.dimensions["failover"].grade, card.result(SPLIT).grade) == (Grade.U, Grade.U, Grade.U)
    assert [result.kpi for result in card.hard_failures] == [SPLIT]


def test_the_scenarios_objective_replaces_the_policys_target_and_that_the_default() -> None:
    policy = measured(DETECT, 100, target=Target("<=", 90))
    assert judged(only(DETECT, measured(DETECT, 100))).result(DETECT).target == Target("<=", 300)
    assert judged(only(DETECT, policy)).result(DETECT).target == Target("<=", 90)
    objectives = [{"kpi": DETECT, "target": "2m"}, {"kpi": DETECT, "target": "1m", "statistic": "p50"}]
    assert judged(only(DETECT, policy), objectives=objectives).result(DETECT).target == Target("<=", 60)


def facts(card: Scorecard) -> dict[str, Any]:
    return {result.kpi: (result.value, result.grade, result.censored_at) for result in card.results}


def test_an_event_that_has_nothing_to_do_with_it_changes_no_score() -> None:
    before, after = facts(full_day().card()), facts(full_day().at(1234, "note", text="coffee").card())
    assert before == after


def test_the_order_in_which_events_of_one_instant_were_written_changes_no_score() -> None:
    day = full_day()
    backwards = Recording(Timeline({}, reversed(day.events)), SeriesSet(day.series))
    assert facts(score(backwards, day.scenario)) == facts(day.card())


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 5000))
def test_shifting_everything_in_time_keeps_durations_and_shares(shift_s: int) -> None:
    day = full_day()
    times = {"due_s", "started_s"}

    def moved(event: Event) -> Event:
        data = {key: value + shift_s if key in times else value for key, value in event.data.items()}  # type: ignore[operator]
        if isinstance(claims := data.get("claims"), dict):
            data["claims"] = {**claims, "started_s": 610 + shift_s} if "started_s" in claims else claims
        return Event(event.t + shift_s, event.kind, event.subject, event.source, data)

    later = Recording(
        Timeline({}, [moved(event) for event in day.events]),
        SeriesSet(Series(one.name, one.labels, one.t + shift_s, one.values) for one in day.series),
    )
    shifted = scenario(policies__shedding={"enabled": True, "services": {"shop": {}}}, warmup=60.0 + shift_s)
    before, after = facts(day.card()), facts(score(later, shifted))
    bins_move = {"shedding.critical_goodput", "shedding.recovery_s"}  # bins of five seconds stay where they are
    for kpi in set(before) - bins_move:
        assert (after[kpi][0] is None) == (before[kpi][0] is None), kpi
        assert (after[kpi][0] or 0.0) == pytest.approx(before[kpi][0] or 0.0, rel=1e-6), kpi
        assert after[kpi][1:] == before[kpi][1:], kpi


def test_dimensions_come_in_the_order_of_an_incident() -> None:
    assert tuple(full_day().card().dimensions) == DIMENSIONS
