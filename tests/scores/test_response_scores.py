"""Response scores and the escalation oracle on hand-written days."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.scores.model import Grade
from tests.scores.days import END_S, Day

CORRECT = "response.escalation_correctness"
ACKNOWLEDGE = "response.time_to_acknowledge"


def hurt(**changes: Any) -> Day:
    return Day(**changes).fault(600, "kill region/eu-1", until=1500).impact(610, 1520)


def test_acknowledgement_counts_from_the_first_page_to_the_first_who_takes_it() -> None:
    day = hurt().page(650).page(950, "bo", level=2, acknowledged=1000)
    result = day.result(ACKNOWLEDGE)
    assert (result.value, result.grade) == (350, Grade.S)


def test_nobody_acknowledging_is_censored_and_nobody_paged_does_not_apply() -> None:
    assert hurt().page(650).result(ACKNOWLEDGE).censored_at == END_S - 650
    assert hurt().result(ACKNOWLEDGE).grade is Grade.NOT_APPLICABLE


def test_pages_as_the_policy_asks_are_right() -> None:
    day = hurt().page(650).page(950, "bo", level=2).page(1250, "cleo", level=3, acknowledged=1300)
    assert day.result(CORRECT).value == 1


@pytest.mark.parametrize(
    ("what", "pages", "value"),
    [
        ("wrong person", [(650, "bo", 1)], 0.0),
        ("missing level", [(650, "ana", 1), (1250, "cleo", 3)], 2 / 3),
        ("too early", [(650, "ana", 1), (800, "bo", 2), (1250, "cleo", 3)], 2 / 4),
        ("too late", [(650, "ana", 1), (990, "bo", 2), (1250, "cleo", 3)], 2 / 4),
        ("within the tick", [(650, "ana", 1), (954, "bo", 2), (1250, "cleo", 3)], 1.0),
    ],
)
def test_pages_that_the_policy_does_not_ask_for_are_wrong(what: str, pages: list[tuple[float, str, int]], value: float) -> None:
    day = hurt()
    for t, person, level in pages:
        day.page(t, person, level=level)
    if what == "wrong person":
        day.at(700, "page.acknowledged", page="page/1", person="bo")
    assert day.result(CORRECT).value == pytest.approx(value)


def test_a_page_after_the_acknowledgement_is_one_too_many() -> None:
    day = hurt().page(650, acknowledged=700).page(950, "bo", level=2)
    assert day.result(CORRECT).value == 0.5


def test_a_level_that_passes_the_page_on_early_moves_the_next_step() -> None:
    day = hurt().page(650).at(700, "page.escalated", page="page/1", from_level=1, to_level=2, why="cannot help")
    day.page(700, "bo", level=2, acknowledged=800)
    assert day.result(CORRECT).value == 1


def test_the_policy_is_repeated_as_often_as_it_says() -> None:
    policy = {"default": {"levels": [{"notify": ["person/ana"], "after": 300.0}], "repeat": 1}}
    day = hurt(response__escalations=policy).page(650).page(950)
    assert day.result(CORRECT).value == 1
    assert hurt(response__escalations=policy).page(650).page(950).page(1250).result(CORRECT).value == pytest.approx(2 / 3)


def test_pages_due_after_the_alerts_are_over_may_come_or_not() -> None:
    over = hurt().page(650).at(900, "alert.resolved", "class/checkout", rule="checkout-errors")
    assert over.result(CORRECT).value == 1
    told = hurt().page(650).at(900, "alert.resolved", "class/checkout", rule="checkout-errors").page(950, "bo", level=2)
    assert told.result(CORRECT).value == 1


def test_pages_due_after_the_end_of_the_run_are_not_missed() -> None:
    assert Day().impact(3300).page(3400).result(CORRECT).value == 1


def test_the_policy_of_the_team_that_owns_what_the_rule_looks_at_is_the_one_that_counts() -> None:
    policies = {
        "default": {"levels": [{"notify": ["person/ana"]}], "repeat": 0},
        "night": {"levels": [{"notify": ["person/cleo"]}], "repeat": 0},
    }
    rules = {"shop-errors": {"kind": "threshold", "on": "service/shop@eu-1", "indicator": "error_ratio", "above": 0.1}}
    teams = {"shop": {"members": ["ana"], "escalation": "night"}}
    changes = {"response__escalations": policies, "response__teams": teams, "monitoring__rules": rules}
    assert hurt(**changes).page(650, "cleo", rules=["shop-errors"], acknowledged=700).result(CORRECT).value == 1
    assert hurt(**changes).page(650, "ana", rules=["shop-errors"], acknowledged=700).result(CORRECT).value == 0


def test_a_ticket_that_is_paged_as_urgent_is_wrong() -> None:
    rules = {
        "slow": {"kind": "threshold", "on": "class/checkout", "indicator": "latency_p99", "above": 1.0, "severity": "ticket"}
    }
    assert hurt(monitoring__rules=rules).page(650, rules=["slow"], acknowledged=700).result(CORRECT).value == 0


def test_a_page_outside_a_policy_is_not_judged_and_without_a_policy_nothing_can_be() -> None:
    assert hurt().at(650, "page.sent", page="p", person="cleo", level="commander").result(CORRECT).grade is Grade.NOT_APPLICABLE
    assert hurt(response__escalations={}).page(650).result(CORRECT).grade is Grade.UNKNOWN


def test_declaration_and_command_are_timed() -> None:
    day = hurt().at(900, "incident.declared", "incident/1", severity="sev1", by="ana")
    day.at(950, "incident.role", "incident/1", role="scribe", person="bo")
    day.at(1000, "incident.role", "incident/1", role="incident_commander", person="cleo")
    assert day.result("response.time_to_declare").value == 290
    assert day.result("response.time_to_command").value == 100


def test_an_incident_that_should_have_been_declared_and_was_not_is_censored() -> None:
    assert hurt().result("response.time_to_declare").grade is Grade.U
    assert hurt().result("response.time_to_command").grade is Grade.NOT_APPLICABLE


@pytest.mark.parametrize(("request_class", "worst"), [("browse", 0.1), ("checkout", 0.96)])
def test_a_loss_below_the_bar_needs_no_declaration(request_class: str, worst: float) -> None:
    day = Day().impact(610, 1500, request_class, worst)
    assert day.result("response.time_to_declare").grade is Grade.NOT_APPLICABLE


def test_a_declaration_without_a_commander_is_censored() -> None:
    assert hurt().at(900, "incident.declared", severity="sev1").result("response.time_to_command").censored_at == END_S - 900


def test_decisions_need_who_and_why_and_actions_may_take_theirs_from_the_decision() -> None:
    day = hurt().at(900, "decision.made", "incident/1", decision="rollback", by="ana", why="bad release")
    day.at(910, "action.started", "service/shop", action="rollback", by="ana", target="service/shop")
    day.at(920, "action.started", "service/shop", action="restart", by="ana", target="service/shop")
    day.at(930, "decision.made", "incident/1", decision="wait", by="", why="because")
    assert day.result("response.decision_log").value == 0.5
    assert hurt().result("response.decision_log").grade is Grade.NOT_APPLICABLE


def test_mitigation_is_the_end_of_the_last_impact() -> None:
    day = hurt().impact(700, 1700, "browse")
    assert day.result("response.time_to_mitigate").value == 1090
    assert hurt().impact(700, None, "browse").result("response.time_to_mitigate").grade is Grade.U


def test_resolution_is_the_later_of_recovery_and_closing() -> None:
    day = hurt().at(900, "incident.declared", severity="sev1")
    assert day.result("response.time_to_resolve").grade is Grade.U
    assert day.at(1900, "incident.resolved", by="cleo").result("response.time_to_resolve").value == 1290
    early = hurt().at(900, "incident.declared", severity="sev1").at(1000, "incident.resolved", by="cleo")
    assert early.result("response.time_to_resolve").value == 910
    assert hurt().result("response.time_to_resolve").grade is Grade.NOT_APPLICABLE
