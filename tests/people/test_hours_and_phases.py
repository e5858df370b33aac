"""Office hours of those who approve, promises by severity, and the message about who is affected."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from gameday.communication import Cadence
from tests.people.small import Played, fixed, merged, play, scenario
from tests.scores.days import Day

LONG: dict[str, Any] = {"response": {"timing": {"diagnose": fixed(900)}}, "duration": "40m"}
NIGHT = {"starts": "2026-03-02T02:00:00+00:00"}


def legal(**people: dict[str, Any]) -> dict[str, Any]:
    """Every message to customers needs one of these."""
    return {
        "communication": {"audiences": {"customers": {"approvals": ["legal"], "first_within": "3m"}}},
        "response": {"people": people, "roles": {"legal": list(people)}},
    }


def approvers(played: Played) -> set[str]:
    return {str(given) for event in played.of("message.approved") for given in event.data["approvals"]}


OFFICE = {"only_in_office": True}


# -- office hours -------------------------------------------------------------------------------------------------------


def test_who_works_in_office_hours_only_approves_nothing_at_night_and_the_day_goes_on() -> None:
    played = play(LONG, NIGHT, legal(di=OFFICE))
    assert played.of("message.drafted")
    assert not played.of("message.published", audience="customers")
    assert played.notes("approval by legal cannot be had (nobody available)")
    assert played.of("incident.resolved")


def test_an_alternate_in_another_time_zone_approves_in_their_day() -> None:
    played = play(LONG, NIGHT, legal(di=OFFICE, sy={**OFFICE, "timezone": "Australia/Sydney"}))
    assert approvers(played) == {"legal/sy"}
    assert played.of("message.published", audience="customers")


def test_somebody_who_can_be_woken_is_not_woken_while_an_alternate_is_at_work() -> None:
    team = legal(di={}, sy={"timezone": "Australia/Sydney"})
    assert approvers(play(LONG, NIGHT, team)) == {"legal/sy"}
    alone = play(LONG, NIGHT, legal(di={}))
    assert approvers(alone) == {"legal/di"}
    first = [day.first("message.published", audience="customers").t for day in (play(LONG, NIGHT, team), alone)]
    assert first[0] < first[1] - 100.0


def test_office_hours_begin_while_the_message_waits() -> None:
    played = play({"starts": "2026-03-02T08:45:00+00:00"}, LONG, legal(di=OFFICE))
    opens = 15 * 60.0
    approved = [event.t for event in played.of("message.approved")]
    assert approved
    assert approved[0] >= opens


def test_a_machine_that_waits_for_somebody_out_of_office_is_told_again_and_again_and_never_hangs() -> None:
    waits = {
        "schedule": {"faults": ["kill region/a at 3m for 15m"]},
        "monitoring": {"rules": {"errors": None, "gone": {"kind": "absence", "on": "region/a", "window": "30s"}}},
        "policies": {"failover": {"mode": "automatic", "pairs": {"a": "b"}, "approval": "legal"}},
        "response": {"people": {"di": OFFICE}},
    }
    played = play(waits, NIGHT)
    assert played.notes("nobody in the role of legal answers")
    assert not played.of("failover.completed")
    assert played.of("run.ended")


# -- promises by severity -------------------------------------------------------------------------------------------------


def test_the_cadence_is_that_of_the_severity_and_changes_with_it() -> None:
    plan = scenario(
        {
            "communication": {
                "audiences": {
                    "customers": {"by_severity": {"sev1": {"first_within": "2m", "every": "4m"}, "sev2": {"every": "20m"}}}
                }
            }
        }
    ).communication
    cadence = Cadence(plan)
    cadence.declared(0.0, "sev2")
    assert cadence.due("customers") == (300.0, "first")
    cadence.severity(60.0, "sev1")
    assert cadence.due("customers") == (120.0, "first")
    cadence.published(100.0, "customers", "investigating")
    assert cadence.due("customers") == (340.0, "interval")
    lower = Cadence(plan)
    lower.declared(0.0, "sev2")
    lower.published(100.0, "customers", "investigating")
    assert lower.due("customers") == (1300.0, "interval")


def test_updates_come_as_often_as_the_severity_asks_and_each_names_the_next() -> None:
    played = play(
        LONG, {"communication": {"audiences": {"customers": {"every": "20m", "by_severity": {"sev1": {"every": "5m"}}}}}}
    )
    assert played.first("incident.declared").data["severity"] == "sev1"
    times = [event.t for event in played.of("message.published", phase="investigating")]
    assert len(times) >= 3
    assert all(later - earlier <= 320.0 for earlier, later in itertools.pairwise(times))


def scored(severities: list[tuple[float, str]], says: list[float], **pace: Any) -> float:
    audience = {"channel": "status_page", "external": True, "first_within": 60, "every": 1200, "by_severity": pace}
    day = Day(communication={"audiences": {"customers": audience}}).impact(600, 2600)
    for number, (t, severity) in enumerate(severities):
        day.at(t, "incident.severity" if number else "incident.declared", "incident/1", severity=severity, by="ana")
    for t in says:
        day.say(t)
    value = day.result("communication.cadence").value
    assert value is not None
    return value


def test_the_score_of_the_cadence_counts_each_severity_by_its_own_promise() -> None:
    assert scored([(600, "sev2")], [660, 1860]) == 1.0
    # 660 to 1600 at 20 minutes is fresh throughout; from 1600 on at 5 minutes: 1860 to 2160 of 1000 s.
    raised = scored([(600, "sev2"), (1600, "sev1")], [660, 1860], sev1={"every": 300})
    assert raised == pytest.approx((940 + 300) / (940 + 1000))
    assert scored([(600, "sev1")], [660, 1860], sev1={"every": 300}) == pytest.approx(600 / 1940)


# -- who is affected ----------------------------------------------------------------------------------------------------

SCOPED = {"communication": {"scoping": True, "audiences": {"customers": {"first_within": "2m"}}}}


def test_the_first_message_knows_that_something_is_wrong_and_the_second_where() -> None:
    played = play(LONG, SCOPED, {"response": {"timing": {"scope": fixed(240)}}})
    assert [event.data["phase"] for event in played.of("incident.phase")][:3] == ["investigating", "scoping", "identified"]
    declared = played.first("incident.declared").t
    assert played.first("incident.phase", phase="scoping").t - declared == pytest.approx(240.0, rel=0.05)
    first, second = played.of("message.published", audience="customers")[:2]
    assert (first.data["phase"], second.data["phase"]) == ("investigating", "scoping")
    assert "some of our regions" in first.text("text")
    assert "regions" not in first.data["claims"]
    assert second.data["claims"]["regions"] == ["a", "b"]
    assert "% of requests" in second.text("text")


def test_whoever_finds_out_who_is_affected_does_not_look_for_the_cause_meanwhile() -> None:
    scope = {"response": {"timing": {"scope": fixed(240)}}}
    plain, scoped = play(LONG), play(LONG, SCOPED, scope)
    assert scoped.first("diagnosis.concluded").t - plain.first("diagnosis.concluded").t > 150.0
    led = merged(scope, {"response": {"people": {"led": {}}, "roles": {"incident_commander": ["led"]}}})
    assert play(LONG, SCOPED, led).first("incident.phase", phase="scoping")


def test_a_cause_that_is_found_first_needs_no_scope() -> None:
    quick = play(SCOPED, {"response": {"timing": {"scope": fixed(2000), "diagnose": fixed(60)}}})
    assert "scoping" not in {event.data["phase"] for event in quick.of("incident.phase")}


def test_without_graphs_the_scope_waits_for_a_try_by_hand() -> None:
    blind = {
        "schedule": {"faults": ["kill region/a at 3m for 15m"]},
        "monitoring": {"location": "region/a", "rules": {"errors": None, "beat": {"kind": "heartbeat", "interval": "60s"}}},
    }
    played = play(LONG, SCOPED, blind, {"response": {"timing": {"scope": fixed(30)}}})
    assert played.first("incident.phase", phase="scoping").t >= played.first("incident.declared").t
