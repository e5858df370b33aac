"""Detection scores on hand-written days."""

from __future__ import annotations

import sys

import pytest

from gameday.scores.detection import minimum_delay_s
from gameday.scores.model import Grade
from tests.scores.days import END_S, Day, scenario

DETECT = "detection.time_to_detect"


def hurt(**changes: object) -> Day:
    return Day(**changes).fault(600, "kill region/eu-1", until=1500).impact(610, 1520)  # type: ignore[arg-type]


def test_detection_is_the_first_page_that_reached_somebody_and_not_its_sending() -> None:
    result = hurt().page(700).page(720, "bo").result(DETECT)
    assert (result.value, result.grade) == (95, Grade.P)
    assert [one.kind for one in result.evidence] == ["impact.started", "page.delivered"]
    assert result.note == "first page 1m35s after impact"


def test_a_page_that_reached_nobody_detects_nothing() -> None:
    day = hurt().at(700, "page.sent", "class/checkout", page="page/1", person="ana", level=1)
    result = day.result(DETECT)
    assert (result.value, result.censored_at, result.grade) == (None, END_S - 610, Grade.U)
    assert day.result("detection.recall").value == 0


def test_an_acknowledgement_shows_that_a_page_arrived() -> None:
    day = hurt().at(700, "page.sent", page="page/1", person="ana", rules=["checkout-errors"])
    day.at(760, "page.acknowledged", page="page/1", person="ana", after_s=60)
    assert day.result(DETECT).value == 150


def test_a_notice_before_users_are_hurt_counts_as_nothing_and_not_as_a_credit() -> None:
    result = hurt().page(602).result(DETECT)
    assert result.value == 0
    assert result.note == "first page before impact"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("failover.triggered", {"by": "controller"}),
        ("action.started", {"by": "deployer", "action": "rollback"}),
        ("decision.made", {"by": "deployer", "decision": "rollback"}),
    ],
)
def test_an_automation_that_acts_is_a_notice(kind: str, data: dict[str, str]) -> None:
    assert hurt().at(650, kind, "region/eu-1", **data).result(DETECT).value == 40


@pytest.mark.parametrize("kind", ["scaling.requested", "breaker.opened", "shedding.started", "degradation.started"])
def test_a_protection_that_tells_nobody_is_none(kind: str) -> None:
    assert hurt().at(650, kind, "service/shop").result(DETECT).value is None


def test_what_a_person_does_is_no_notice_by_automation() -> None:
    assert hurt().at(650, "action.started", "region/eu-1", by="ana", action="failover").result(DETECT).value is None


def test_a_way_back_is_no_notice() -> None:
    assert hurt().at(650, "decision.made", "region/eu-1", by="controller", decision="failback").result(DETECT).value is None


def test_customers_that_ask_first_are_reported_and_detect_nothing_by_themselves() -> None:
    day = hurt().at(650, "inquiry.received", "audience/customers", from_="customers").page(900)
    assert day.result("detection.reported_by_customer").value == 1
    assert day.result(DETECT).value == 295


def test_customers_that_ask_after_the_page_came_second() -> None:
    day = hurt().page(640).at(650, "inquiry.received", "audience/customers", from_="customers")
    assert day.result("detection.reported_by_customer").value == 0


def test_an_incident_nobody_noticed_has_no_first_reporter() -> None:
    assert hurt().result("detection.reported_by_customer").grade is Grade.NOT_APPLICABLE


def test_an_incident_that_is_over_before_any_rule_can_page_is_not_counted() -> None:
    day = Day().impact(610, 650)  # 15 s scrape, 15 s evaluation, 30 s hold, 30 s group wait
    assert day.result(DETECT).grade is Grade.NOT_APPLICABLE
    assert day.result("detection.recall").grade is Grade.NOT_APPLICABLE
    assert Day().impact(610, 701).result(DETECT).grade is Grade.U


def test_without_rules_no_incident_is_too_short_to_be_noticed() -> None:
    assert Day(monitoring__rules={}).impact(610, 650).result(DETECT).grade is Grade.U


def test_the_run_shows_its_worst_incident() -> None:
    day = Day().impact(610, 900).page(650).impact(2000, 2500).page(2400, page="page/2")
    result = day.result(DETECT)
    assert (result.value, result.incident) == (405, 2)
    assert [one.value for one in day.card().by_incident if one.kpi == DETECT] == [45, 405]


def test_an_incident_that_was_never_noticed_is_worse_than_one_noticed_late() -> None:
    result = Day().impact(610, 900).impact(2000, 3500).page(3400).result(DETECT)
    assert (result.value, result.incident, result.grade) == (None, 1, Grade.U)


def test_an_alert_about_what_was_hurt_or_broken_counts_as_fired() -> None:
    day = Day().fault(600, "slow service/shop", until=1500).impact(610, 1520)
    day.at(620, "alert.firing", "service/reports", rule="other").at(640, "alert.firing", "database/orders", rule="orders")
    result = day.result("detection.time_to_fire")
    assert (result.value, result.grade) == (30, Grade.UNGRADED)


def test_an_alert_about_something_else_does_not() -> None:
    day = Day().impact(610, 1520).at(620, "alert.firing", "service/reports", rule="other")
    assert day.result("detection.time_to_fire").censored_at == END_S - 610


def test_the_gap_is_what_the_page_took_beyond_what_its_rule_needs() -> None:
    result = hurt().page(800).result("detection.gap_to_minimum")
    assert result.value == 195 - 90


def test_the_gap_of_a_page_without_a_known_rule_is_unknown() -> None:
    assert hurt().page(800, rules=["somebody-elses"]).result("detection.gap_to_minimum").grade is Grade.UNKNOWN


@pytest.mark.parametrize(
    ("rule", "delay_s"),
    [
        ({"kind": "threshold", "on": "class/checkout", "indicator": "error_ratio", "above": 0.1}, 60),
        ({"kind": "threshold", "on": "class/checkout", "indicator": "error_ratio", "above": 0.1, "for": 20.0}, 90),
        ({"kind": "threshold", "on": "class/checkout", "indicator": "error_ratio", "above": 0.1, "for": 30.0}, 90),
        ({"kind": "burn_rate", "on": "class/checkout", "objective": 0.999}, 60 + 0.0144 * 3600),
        ({"kind": "probe", "probe": "front", "failures": 3}, 60 + 2 * 20),
        ({"kind": "absence", "on": "service/shop", "window": 45.0}, 105),
        ({"kind": "heartbeat", "interval": 60.0, "for": 10.0}, 70),
        ({"kind": "backlog", "on": "service/shop", "above": 10, "window": 120.0}, 180),
    ],
)
def test_the_shortest_delay_of_each_kind_of_rule(rule: dict[str, object], delay_s: float) -> None:
    monitoring = scenario(
        monitoring__rules={"one": rule}, monitoring__probes={"front": {"class": "checkout", "interval": 20.0}}
    ).monitoring
    assert minimum_delay_s(monitoring.rules["one"], monitoring) == pytest.approx(delay_s)


def test_precision_is_the_share_of_pages_about_something() -> None:
    day = hurt().page(650).page(3000, page="page/2")
    assert day.result("detection.precision").value == 0.5
    assert day.result("detection.false_pages").value == pytest.approx(86_400 / (END_S - 60))


def test_a_page_about_a_broken_component_is_not_false_even_without_impact() -> None:
    day = Day().fault(600, "kill service/shop@eu-1", until=900).page(650, subject="service/shop")
    assert day.result("detection.precision").value == 1
    assert day.result("detection.false_pages").value == 0


def test_a_page_shortly_after_the_end_is_about_the_incident_and_a_late_one_is_not() -> None:
    assert hurt().page(1800).result("detection.precision").value == 1
    assert hurt().page(1900).result("detection.precision").value == 0


def test_a_late_page_about_an_alert_that_fired_in_time_is_about_the_incident() -> None:
    day = hurt().at(1500, "alert.firing", "class/checkout", rule="checkout-errors").page(1900)
    assert day.result("detection.precision").value == 1


def test_noise_is_about_nothing_even_while_users_are_hurt() -> None:
    day = hurt().page(650, subject="rule/noise", rules=["noise"])
    assert day.result("detection.precision").value == 0
    assert day.result(DETECT).grade is Grade.U


def test_pages_in_the_warm_up_are_not_counted() -> None:
    assert hurt().page(30).result("detection.precision").grade is Grade.NOT_APPLICABLE


def test_duplicates_are_the_pages_one_person_got_beyond_the_first() -> None:
    day = hurt().page(650).page(700, page="page/2").page(750, page="page/3").page(760, "bo", "page/4")
    assert day.result("detection.duplicate_pages").value == 2


RANK = "detection.root_cause_rank"
GONE = {"service/shop@eu-1": 1.0, "zone/eu-1a": 1.0, "region/eu-1": 1.0}


def test_the_rank_is_the_place_of_the_fault_among_the_candidates() -> None:
    day = hurt().at(640, "alert.firing", "class/checkout", rule="checkout-errors")
    result = day.at(650, "alert.evidence", "class/checkout", anomalies=GONE).result(RANK)
    assert (result.value, result.grade) == (1, Grade.P)
    assert result.note is not None
    assert result.note.startswith("region/eu-1 was candidate 1")


def test_the_rank_is_by_what_was_known_when_somebody_began_to_look() -> None:
    day = hurt().at(650, "alert.evidence", "class/checkout", anomalies={"service/shop@eu-1": 0.5})
    first = day.result(RANK).value
    assert first is not None
    assert first > 1
    later = day.at(700, "alert.evidence", "class/checkout", anomalies=GONE).at(720, "diagnosis.started", "incident/1")
    assert later.result(RANK).value == 1
    assert later.at(1000, "alert.evidence", "class/checkout", anomalies={"service/shop@eu-1": 0.5}).result(RANK).value == 1


def test_without_evidence_or_without_a_fault_there_is_no_rank() -> None:
    assert hurt().result(RANK).grade is Grade.NOT_APPLICABLE
    surge = Day().impact(610, 1520).at(650, "alert.evidence", "class/checkout", anomalies=GONE)
    assert surge.result(RANK).grade is Grade.NOT_APPLICABLE


def test_without_the_analysis_extra_the_rank_is_unknown_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    result = hurt().at(650, "alert.evidence", "class/checkout", anomalies=GONE).result(RANK)
    assert result.grade is Grade.UNKNOWN
    assert result.note is not None
    assert "needs the 'analysis' extra: pip install" in result.note
