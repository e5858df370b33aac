"""Incidents: what belongs together, what is behind it, when it begins and ends."""

from __future__ import annotations

from gameday.scores.case import Case
from gameday.scores.incidents import INCIDENT_GAP_S, Incident
from tests.scores.days import END_S, Day


def incidents(day: Day) -> tuple[Incident, ...]:
    return Case(day.recording(), day.scenario).incidents


def test_without_impact_there_is_no_incident() -> None:
    assert incidents(Day().fault(600, "kill region/eu-1", until=900)) == ()


def test_t0_is_the_impact_and_not_the_fault() -> None:
    (one,) = incidents(Day().fault(600, "kill region/eu-1", until=900).impact(610, 920))
    assert (one.t0_s, one.end_s, one.begin_s) == (610, 920, 600)
    assert [fault.selector for fault in one.faults] == ["region/eu-1"]


def test_impacts_of_several_classes_that_overlap_are_one_incident() -> None:
    (one,) = incidents(Day().impact(610, 900).impact(700, 1000, "browse"))
    assert (one.t0_s, one.end_s) == (610, 1000)
    assert [impact.request_class for impact in one.impacts] == ["checkout", "browse"]


def test_an_impact_within_another_does_not_shorten_the_incident() -> None:
    (one,) = incidents(Day().impact(610, 2000).impact(700, 800, "browse").impact(2000 + INCIDENT_GAP_S, 2500, "browse"))
    assert one.end_s == 2500


def test_impacts_that_follow_each_other_within_the_gap_are_one_incident() -> None:
    assert len(incidents(Day().impact(600, 700).impact(700 + INCIDENT_GAP_S, 1200))) == 1
    assert len(incidents(Day().impact(600, 700).impact(701 + INCIDENT_GAP_S, 1300))) == 2


def test_an_impact_that_never_ends_keeps_the_incident_open() -> None:
    (one,) = incidents(Day().impact(610).impact(650, 700, "browse"))
    assert one.end_s is None
    assert one.duration_s(END_S) == END_S - 610


def test_a_second_start_without_an_end_tells_nothing_new() -> None:
    (one,) = incidents(Day().impact(610).impact(800, 900))
    assert (one.t0_s, one.end_s) == (610, 900)


def test_each_incident_has_its_own_time_and_its_own_faults() -> None:
    day = (
        Day()
        .fault(600, "kill region/eu-1", until=700)
        .impact(610, 720)
        .fault(2000, "slow service/shop", until=2300)
        .impact(2050, 2320)
    )
    first, second = incidents(day)
    assert [fault.kind for fault in first.faults] == ["kill"]
    assert [fault.kind for fault in second.faults] == ["slow"]
    assert first.owns(1999)
    assert not first.owns(2000)
    assert second.owns(2000)


def test_a_fault_that_lasts_over_two_incidents_is_behind_both_but_its_start_belongs_to_the_first() -> None:
    first, second = incidents(Day().fault(600, "slow service/shop").impact(610, 700).impact(2000, 2100))
    assert len(first.faults) == len(second.faults) == 1
    assert second.begin_s == 700


def test_what_a_healed_fault_left_behind_is_put_down_to_it() -> None:
    (one,) = incidents(Day().fault(600, "slow service/shop", until=700).impact(750, 2000))
    assert [fault.kind for fault in one.faults] == ["slow"]


def test_the_lowest_share_of_good_answers_is_that_of_the_end_where_there_is_one() -> None:
    (one,) = incidents(Day().impact(610, 900, worst=0.2).impact(620, None, "browse", worst=0.7))
    assert [impact.worst_good_ratio for impact in one.impacts] == [0.2, 0.7]
