"""Communication scores on hand-written days."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.communication.templates import DEFAULT_TEMPLATES, render
from gameday.scores.model import Grade
from tests.scores.days import END_S, Day

FIRST, AFTER = "communication.time_to_first_update", "communication.first_update_after_declaration"
CADENCE, KEPT = "communication.cadence", "communication.promises_kept"
COVERAGE, AUTHORITY = "communication.coverage", "communication.authority"
ACCURACY, FALSE, LAG = "communication.accuracy", "communication.false_resolved", "communication.status_lag"


def declared(severity: str = "sev1", until: float | None = 3000, **changes: Any) -> Day:
    day = Day(**changes).fault(600, "kill region/eu-1", until=until).impact(610, until)
    return day.at(900, "incident.declared", "incident/1", severity=severity, by="ana")


def test_the_first_message_to_the_outside_counts_from_impact_and_from_the_declaration() -> None:
    day = declared().say(1300).say(1000, "support")
    assert (day.result(FIRST).value, day.result(FIRST).grade) == (690, Grade.P)
    result = day.result(AFTER)
    assert (result.value, result.target.value if result.target else None, result.grade) == (400, 600, Grade.P)


def test_the_audience_furthest_from_its_own_promise_is_shown() -> None:
    result = declared().say(1450).say(1900, "support").result(AFTER)
    assert (result.value, result.target.value if result.target else None) == (1000, 900)


def test_an_audience_that_was_never_told_is_censored() -> None:
    day = declared().say(1000, "support")
    assert (day.result(FIRST).censored_at, day.result(FIRST).grade) == (END_S - 610, Grade.U)
    assert day.result(AFTER).censored_at == END_S - 900
    assert (day.result(COVERAGE).value, day.result(COVERAGE).note) == (0.5, "nobody told customers")


def test_what_was_not_declared_and_should_have_been_is_owed_all_the_same() -> None:
    day = Day().impact(610, 3000)
    assert day.result(FIRST).grade is Grade.U
    assert day.result(COVERAGE).value == 0
    assert day.result(AFTER).grade is Grade.NOT_APPLICABLE


def test_nobody_has_to_be_told_of_what_is_no_incident() -> None:
    for day in (Day().impact(610, 3000, "browse"), declared("sev3"), declared(communication={})):
        assert day.result(FIRST).grade is Grade.NOT_APPLICABLE
        assert day.result(COVERAGE).grade is Grade.NOT_APPLICABLE


def test_executives_are_owed_a_message_by_duration_or_money() -> None:
    audiences = {"executives": {"channel": "chat", "severities": ["sev1"]}}
    by_time = {"audiences": audiences, "executives": {"duration_above": 1200.0}}
    assert declared("sev2", communication=by_time).result(COVERAGE).value == 0
    assert declared("sev2", 1700, communication=by_time).result(COVERAGE).grade is Grade.NOT_APPLICABLE
    by_money = {"audiences": audiences, "executives": {"exposure_above": 1000.0}}
    losing = declared("sev2", communication=by_money).samples("class.value_lost", [5, 2000], [0, 5000], class_="checkout")
    assert losing.result(COVERAGE).value == 0
    assert declared("sev2", communication=by_money).result(COVERAGE).grade is Grade.NOT_APPLICABLE


def test_an_audience_that_a_running_clock_is_about_must_be_told() -> None:
    plan = {
        "audiences": {"authority": {"channel": "portal", "severities": []}},
        "clocks": {"early": {"regime": "NIS2", "within": 86_400.0, "audience": "authority"}},
    }
    day = declared(communication=plan)
    assert day.result(COVERAGE).grade is Grade.NOT_APPLICABLE
    assert day.at(900, "clock.started", "clock/early", clock="early", due_s=87_300).result(COVERAGE).value == 0


def test_cadence_is_the_share_of_the_time_with_a_fresh_message() -> None:
    day = declared().say(1500).say(2900)  # due from 1500 to 3000; old from 2700 to 2900
    assert day.result(CADENCE).value == pytest.approx(1 - 200 / 1500)
    assert day.result(KEPT).value == 0
    steady = declared().say(1400).say(2500)
    assert steady.result(CADENCE).value == 1
    assert steady.result(KEPT).value == 1


def test_silence_has_no_cadence_and_a_short_incident_owes_none() -> None:
    assert declared().result(CADENCE).value == 0
    assert declared(until=1400).result(CADENCE).grade is Grade.NOT_APPLICABLE
    assert Day().impact(610, 3000).result(CADENCE).grade is Grade.NOT_APPLICABLE


@pytest.mark.parametrize(
    "message",
    [
        {"approvals": []},
        {"approvals": ["legal/dara"]},
        {"role": "scribe"},
    ],
)
def test_an_external_message_without_role_or_approval_caps_the_run(message: dict[str, Any]) -> None:
    card = declared().say(1300).say(1400, **message).card()
    result = card.result(AUTHORITY)
    assert (result.value, result.grade, result.hard_failure) == (0.5, Grade.U, True)
    assert card.grade is Grade.U


def test_approvals_may_be_their_own_events_but_not_come_after() -> None:
    def day(approved_at: float) -> Day:
        approval: dict[str, Any] = {
            "message": "message/1300",
            "audience": "customers",
            "approvals": [{"role": "incident_commander", "person": "cleo"}],
        }
        return declared().say(1300, approvals=[]).at(approved_at, "message.approved", "audience/customers", **approval)

    assert day(1290).result(AUTHORITY).value == 1
    assert day(1310).result(AUTHORITY).hard_failure


def test_inside_the_organisation_nobody_needs_an_approval() -> None:
    assert declared().say(1300, "support", approvals=[], role="anyone").result(AUTHORITY).grade is Grade.NOT_APPLICABLE


def test_resolved_while_users_are_hurt_caps_the_run() -> None:
    card = declared().say(2000, phase="resolved").card()
    assert (card.result(FALSE).value, card.result(FALSE).hard_failure, card.grade) == (1, True, Grade.U)


def test_resolved_at_the_end_or_between_two_impacts_of_one_incident_is_not_false() -> None:
    assert declared().say(3000, phase="resolved").result(FALSE).grade is Grade.P
    assert Day().impact(610, 900).impact(1100, 1500).say(1000, phase="resolved").result(FALSE).value == 0
    assert declared().result(FALSE).grade is Grade.NOT_APPLICABLE


def test_the_lag_of_the_status_page_ends_with_the_slowest_audience() -> None:
    assert declared().say(1300).say(3200, phase="resolved").result(LAG).value == 200
    assert declared().say(1300).result(LAG).censored_at == END_S - 3000
    assert declared().say(1300).say(2000, phase="resolved").result(LAG).grade is Grade.U
    assert declared().result(LAG).grade is Grade.NOT_APPLICABLE
    assert declared(until=None).say(1300).result(LAG).grade is Grade.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("claims", "phase", "value"),
    [
        ({"components": ["checkout"]}, "identified", 1),
        ({"components": ["checkout", "browse"]}, "identified", 0.5),
        ({"components": ["unheard-of"]}, "identified", None),
        ({"regions": ["eu-1"]}, "identified", 1),
        ({"regions": ["eu-2"]}, "identified", 0),
        ({"state": "resolved"}, "resolved", 0),
        ({"started_s": 900}, "identified", 1),
        ({"started_s": 911}, "identified", 0),
        ({"data_loss": False}, "identified", 1),
        ({"data_loss": True}, "identified", 0),
        ({}, "identified", None),
    ],
)
def test_claims_are_held_against_the_truth_when_they_were_published(
    claims: dict[str, Any], phase: str, value: float | None
) -> None:
    result = declared().say(2000, phase=phase, claims=claims).result(ACCURACY)
    assert result.value == value
    assert (result.grade is Grade.NOT_APPLICABLE) == (value is None)


def test_afterwards_a_message_may_speak_of_what_was_hurt() -> None:
    assert declared().say(3100, phase="identified", claims={"components": ["checkout"]}).result(ACCURACY).value == 0
    assert (
        declared().say(3100, phase="monitoring", claims={"components": ["checkout"], "regions": ["eu-1"]}).result(ACCURACY).value
        == 1
    )


def test_a_region_whose_clients_lose_requests_is_hurt_whatever_was_broken() -> None:
    day = declared().requests((610, 3000)).requests((610, 3000), origin="east")
    assert day.say(2000, claims={"regions": ["eu-2"]}).result(ACCURACY).value == 1


def test_saying_that_no_data_was_lost_after_a_lossy_promotion_is_false() -> None:
    def day(**data: Any) -> Day:
        return declared().at(700, "failover.promoted", "database/orders", **data).say(2000, claims={"data_loss": False})

    assert day(lost_writes=3).result(ACCURACY).value == 0
    assert day(lost_writes=0).result(ACCURACY).value == 1
    assert day().result(ACCURACY).grade is Grade.NOT_APPLICABLE


def test_a_message_that_says_what_its_phase_requires_is_clear_and_an_empty_one_is_not() -> None:
    slots = {
        "service": "checkout",
        "region": "eu-1",
        "started": "10:10 UTC",
        "impact": "about 60% of requests fail",
        "cause": "a lost region",
        "action": "moving traffic to eu-2",
        "next_update": "10:40 UTC",
    }
    clear = declared().say(1300, phase="identified", text=render(DEFAULT_TEMPLATES["identified"], slots))
    assert clear.result("communication.clarity").value == 1
    vague = declared().say(1300, phase="identified", text="It was a human error, an outage.").result("communication.clarity")
    assert (vague.value, vague.grade) == (0, Grade.U)
    assert "human error" in vague.note
    assert declared().say(1300, "support").result("communication.clarity").grade is Grade.NOT_APPLICABLE
