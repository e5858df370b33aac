"""Failover scores on hand-written days."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.scores.failover_times import model_tail_s
from gameday.scores.model import Grade
from tests.scores.days import END_S, Day

DECISION, RTO = "failover.decision", "failover.rto"


def lost_region(until: float | None = 2400, well: float | None = 2410, recovered: float | None = None, **changes: Any) -> Day:
    """Clients of eu-1 lose 80 % of their requests from 610 s to `recovered`, else to `well`."""
    day = Day(**changes).fault(600, "kill region/eu-1", until=until).impact(610, well)
    end_s = recovered if recovered is not None else END_S if well is None else well
    return day.requests((610, end_s)).requests(origin="east")


def move(day: Day, t: float, by: str = "controller") -> Day:
    day.at(t, "failover.triggered", "region/eu-1", failover="regions", by=by)
    return day.at(t + 40, "failover.completed", "region/eu-1", failover="regions", to="eu-2")


def test_leaving_a_region_that_stays_hurt_is_right() -> None:
    result = move(lost_region(recovered=720), 650).result(DECISION)
    assert (result.value, result.grade) == (1, Grade.P)
    assert result.note.startswith("right failover: staying in eu-1 would have lost ")


def test_not_leaving_it_is_missed() -> None:
    result = lost_region().result(DECISION)
    assert (result.value, result.grade) == (0, Grade.U)
    assert result.note.startswith("missed failover")


def test_leaving_it_when_most_is_lost_already_is_late() -> None:
    assert move(lost_region(), 1700).result(DECISION).note == "late failover: left eu-1 only 18m10s after impact"


def test_leaving_a_region_that_is_well_again_at_once_is_false() -> None:
    result = move(lost_region(until=660, well=670), 650).result(DECISION)
    assert (result.value, result.note.partition(":")[0]) == (0, "false failover")


def test_from_a_region_that_is_left_already_there_is_nothing_to_leave() -> None:
    def day() -> Day:
        return move(lost_region(until=None, well=900), 650).impact(1500, 2500)

    assert day().result(DECISION).value == 1
    assert [one.grade for one in day().card().by_incident if one.kpi == RTO][1] is Grade.NOT_APPLICABLE
    back = day().at(1000, "failback.completed", "region/eu-1")
    back.series.clear()
    assert back.requests((610, 2500)).result(DECISION).note.startswith("missed")


def test_staying_through_a_short_fault_is_right() -> None:
    assert lost_region(until=660, well=670).result(DECISION).value == 1


def test_moving_when_nobody_is_hurt_is_false() -> None:
    result = move(Day().requests(), 650).result(DECISION)
    assert "though nobody was hurt" in result.note


def test_moving_away_from_a_fault_that_is_everywhere_is_false_and_staying_right() -> None:
    def day() -> Day:
        return Day().fault(600, "slow service/shop", until=2400).impact(610, 2410).requests((610, 2410)).requests(origin="east")

    assert move(day(), 650).result(DECISION).value == 0
    assert day().result(DECISION).value == 1


def test_a_small_loss_is_no_reason_to_leave() -> None:
    day = Day().fault(600, "kill region/eu-1", until=2400).impact(610, 2410).requests((610, 2410), good=0.995)
    assert day.result(DECISION).value == 1


def test_without_series_the_oracle_does_not_guess() -> None:
    day = Day().fault(600, "kill region/eu-1", until=2400).impact(610, 2410)
    assert day.result(DECISION).grade is Grade.UNKNOWN
    assert day.result(RTO).grade is Grade.UNKNOWN


def test_a_fault_that_no_move_helps_against_asks_for_no_decision() -> None:
    assert Day().impact(610, 2410).requests((610, 2410)).result(DECISION).grade is Grade.NOT_APPLICABLE


def test_without_a_policy_there_is_no_decision_to_judge() -> None:
    assert lost_region(policies__failover={"mode": "none"}).result(DECISION).grade is Grade.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("fault", "correct", "value"),
    [
        ("kill database/orders/primary", None, 1),
        ("partition link/eu-1->eu-2", None, 1),
        ("kill service/shop", None, 0),
        (None, True, 1),
        (None, None, 0),
    ],
)
def test_a_promotion_is_right_when_its_database_was_hit(fault: str | None, correct: bool | None, value: float) -> None:
    day = Day() if fault is None else Day().fault(600, fault, until=900)
    data = {} if correct is None else {"correct": correct}
    day.at(650, "failover.triggered", "database/orders", failover="orders", by="cluster", **data)
    assert day.result(DECISION).value == value


def test_a_promotion_on_a_false_observation_is_false_whatever_else_is_broken() -> None:
    day = (
        Day()
        .fault(600, "kill database/orders/primary")
        .at(650, "failover.triggered", "database/orders", by="cluster", correct=False)
    )
    assert day.result(DECISION).value == 0


def test_recovery_counts_until_the_clients_are_served_well_for_good() -> None:
    result = move(lost_region(recovered=720), 650).result(RTO)
    assert result.value == pytest.approx(110, abs=2)


def test_a_short_relief_is_no_recovery() -> None:
    day = Day().fault(600, "kill region/eu-1", until=2400).impact(610, 2410)
    labels: dict[str, Any] = {"class": "checkout", "origin": "west"}
    day.rate("requests.offered", [(0, END_S, 10)], **labels)
    day.rate("requests.good", [(0, 610, 10), (610, 700, 2), (700, 730, 10), (730, 1000, 2), (1000, END_S, 10)], **labels)
    assert move(day, 650).result(RTO).value == pytest.approx(390, abs=2)


def test_clients_that_are_never_served_again_are_censored() -> None:
    result = move(lost_region(until=None, well=None), 650).result(RTO)
    assert (result.value, result.censored_at, result.grade) == (None, END_S - 610, Grade.U)


def test_recovery_needs_no_failover_to_be_missed() -> None:
    assert lost_region().result(RTO).value == pytest.approx(1800, abs=2)
    assert lost_region(until=660, well=670).result(RTO).grade is Grade.NOT_APPLICABLE


def two_failures(gap_s: float, *moves: float) -> Day:
    """Clients are hurt for 7 s, are well for a while, and are hurt again for 25 s; the database moves where it says."""
    again_s = 617 + gap_s
    day = (
        Day(policies__failover={"mode": "none"})
        .fault(608, "kill database/orders/primary", until=612)
        .impact(610, 617)
        .impact(again_s, again_s + 25)
    )
    day.fault(again_s - 1, "kill database/orders/primary", until=None)
    good = [(0, 610, 10), (610, 617, 2), (617, again_s, 10), (again_s, again_s + 25, 2), (again_s + 25, END_S, 10)]
    for origin in ("west", "east"):
        labels: dict[str, Any] = {"class": "checkout", "origin": origin}
        day.rate("requests.offered", [(0, END_S, 10)], **labels)
        day.rate("requests.good", good, **labels)
    for t in moves:
        day.at(t, "failover.triggered", "database/orders", by="manager")
    return day


@pytest.mark.parametrize("gap_s", [180, 900])
def test_a_blip_before_the_failure_that_was_moved_for_is_no_failover(gap_s: float) -> None:
    """In one incident or in two."""
    again_s = 617 + gap_s
    for moves in ((again_s + 10,), (612, again_s + 10)):
        result = two_failures(gap_s, *moves).result(RTO)
        assert result.value == pytest.approx(25, abs=2)
    assert two_failures(gap_s, 612).result(RTO).value == pytest.approx(7, abs=2), "nothing was moved for the second"
    assert two_failures(gap_s).result(RTO).grade is Grade.NOT_APPLICABLE


def test_the_note_tells_that_users_were_hurt_anew() -> None:
    assert two_failures(180, 807).result(RTO).note.endswith("after impact, which came back 3m7s after the first")


def test_a_region_that_should_have_been_left_is_judged_by_the_longest_time_that_users_were_hurt() -> None:
    day = Day().fault(608, "kill region/eu-1", until=2400).impact(610, 617).impact(800, 2410)
    labels: dict[str, Any] = {"class": "checkout", "origin": "west"}
    day.rate("requests.offered", [(0, END_S, 10)], **labels)
    day.rate("requests.good", [(0, 610, 10), (610, 617, 2), (617, 800, 10), (800, 2410, 2), (2410, END_S, 10)], **labels)
    assert day.result(DECISION).note.startswith("missed")
    assert day.result(RTO).value == pytest.approx(1610, abs=2)


def test_users_who_were_well_for_less_than_the_recovery_window_are_hurt_since_the_beginning() -> None:
    assert two_failures(20, 650).result(RTO).value == pytest.approx(7 + 20 + 25, abs=2)


def summary(day: Day, **counts: Any) -> Day:
    defaults = {"attempted": 100, "acknowledged": 90, "lost": 0, "indeterminate": 10, "conflicting": 0, "unreconciled": 0}
    return day.at(END_S, "writes.summary", "database/orders", database="orders", **{**defaults, **counts})


def test_lost_writes_are_counted_against_the_recovery_point() -> None:
    day = summary(Day(), lost=954, oldest_lost_s=12.0)
    assert (day.result("failover.rpo_writes").value, day.result("failover.rpo_writes").grade) == (954, Grade.U)
    assert (day.result("failover.rpo_s").value, day.result("failover.rpo_s").grade) == (12, Grade.U)
    allowed = {
        "orders": {"primary": "eu-1a", "slots": 4, "service_time": {"family": "constant", "mean": 0.01}, "recovery_point": 30.0}
    }
    lenient = summary(Day(system__databases=allowed), lost=954, oldest_lost_s=12.0)
    assert lenient.result("failover.rpo_s").grade is Grade.P
    assert lenient.result("failover.rpo_writes").grade is Grade.UNGRADED


def test_no_loss_has_no_age_and_a_loss_of_unknown_age_is_unknown() -> None:
    assert summary(Day()).result("failover.rpo_s").value == 0
    assert summary(Day(), lost=1).result("failover.rpo_s").grade is Grade.UNKNOWN


def test_without_a_summary_the_promotions_tell_and_without_both_nothing_does() -> None:
    day = Day().at(700, "failover.promoted", "database/orders", lost_writes=7)
    assert day.result("failover.rpo_writes").value == 7
    assert Day().result("failover.rpo_writes").grade is Grade.UNKNOWN
    assert Day(system__databases={}, system__services__shop__calls=[]).result("failover.rpo_s").grade is Grade.NOT_APPLICABLE


def test_split_brain_is_the_time_with_two_writable_primaries_and_caps_the_run() -> None:
    day = Day().samples("database.primaries", [1, 700, 701, 702, 710], [1, 2, 2, 2, 1], database="orders")
    result = day.result("failover.split_brain_s")
    assert (result.value, result.grade, result.hard_failure) == (10, Grade.U, True)
    assert day.card().grade is Grade.U


def test_split_brain_until_the_end_of_the_run_counts_to_the_end() -> None:
    assert Day().samples("database.primaries", [3500], [2], database="orders").result("failover.split_brain_s").value == 100


def test_roles_tell_of_a_split_brain_where_no_series_does() -> None:
    day = Day().at(700, "database.role", "database/orders", node="eu-2a", role="primary")
    day.at(760, "database.role", "database/orders", node="eu-1a", role="fenced")
    assert day.result("failover.split_brain_s").value == 60
    orderly = Day().at(690, "database.role", "database/orders", node="eu-1a", role="down")
    orderly.at(700, "database.role", "database/orders", node="eu-2a", role="primary")
    assert orderly.result("failover.split_brain_s").value == 0


def test_split_brain_is_unknown_where_nobody_looked() -> None:
    assert Day().result("failover.split_brain_s").grade is Grade.UNKNOWN
    assert summary(Day()).result("failover.split_brain_s").value == 0
    assert summary(Day(), conflicting=3).result("failover.split_brain_writes").value == 3


def moved_back(approved: dict[str, Any] | None, **data: Any) -> Day:
    day = move(lost_region(recovered=720), 650)
    if approved is not None:
        approval = {"failover": "regions", "by": "cleo", "role": "incident_commander", **approved}
        day.at(approval.pop("t", 2900), "failback.approved", "region/eu-1", **approval)
    return day.at(3000, "failback.completed", "region/eu-1", **{"failover": "regions", "by": "controller", **data})


@pytest.mark.parametrize(
    ("approved", "data", "wrong"),
    [
        ({}, {}, 0),
        (None, {}, 1),
        ({"role": "scribe", "by": "bo"}, {}, 1),
        ({"role": "scribe", "by": "cleo"}, {}, 0),
        ({"t": 3001}, {}, 1),
        ({"failover": "another"}, {}, 1),
        ({}, {"lag_s": 0.5, "stable_s": 700}, 0),
        ({}, {"lag_s": 30.0}, 1),
        ({}, {"stable_s": 60.0}, 1),
    ],
)
def test_a_way_back_needs_an_approval_by_the_role_before_it_and_the_conditions(
    approved: dict[str, Any] | None, data: dict[str, Any], wrong: int
) -> None:
    result = moved_back(approved, **data).result("failover.unapproved_failback")
    assert (result.value, result.hard_failure) == (wrong, bool(wrong))


def test_one_approval_is_good_for_one_way_back() -> None:
    day = moved_back({}).at(3200, "failback.completed", "region/eu-1", failover="regions", by="controller")
    assert day.result("failover.unapproved_failback").value == 1


def test_a_policy_without_an_approving_role_makes_every_way_back_unapproved() -> None:
    policy = {"mode": "automatic", "pairs": {"eu-1": "eu-2"}, "failback": {"approval": None}}
    day = Day(policies__failover=policy).at(3000, "failback.completed", "region/eu-1", by="controller")
    assert day.result("failover.unapproved_failback").hard_failure


def test_no_way_back_is_fine_after_a_move_and_does_not_apply_without_one() -> None:
    assert move(lost_region(), 650).result("failover.unapproved_failback").value == 0
    assert Day().result("failover.unapproved_failback").grade is Grade.NOT_APPLICABLE


def test_the_tail_of_name_resolution_is_held_against_its_model() -> None:
    day = Day().at(700, "dns.changed", "shop.example", record="shop.example", to="region/eu-2", ttl_s=60)
    day.samples("dns.share", [0, 700, 760, 2000, 3000], [0.0, 0.0, 0.95, 0.98, 0.995], origin="west", region="eu-2")
    result = day.result("failover.dns_tail_s")
    assert result.value == 2300
    assert result.target is not None
    assert result.target.value == pytest.approx(model_tail_s(60, 0.05, 1800, 2000))
    assert result.grade is Grade.P


def test_clients_that_have_not_moved_when_the_run_ends_are_censored_and_those_already_there_do_not_count() -> None:
    day = Day().at(700, "dns.changed", "shop.example", to="eu-2", ttl_s=60)
    day.samples("dns.share", [0], [1.0], origin="east", region="eu-2")
    assert day.result("failover.dns_tail_s").grade is Grade.NOT_APPLICABLE
    day.samples("dns.share", [0, 800], [0.0, 0.9], origin="west", region="eu-2")
    assert day.result("failover.dns_tail_s").censored_at == END_S - 700
    assert Day().at(700, "dns.changed", "x", to="eu-2").result("failover.dns_tail_s").grade is Grade.UNKNOWN


def test_each_record_is_watched_until_it_changes_again_whatever_others_do() -> None:
    day = Day()
    for record, region in (("west", "eu-2"), ("east", "eu-1")):
        day.at(700, "dns.changed", f"dns/{record}", record=record, to=region, ttl_s=60)
    day.samples("dns.share", [0, 760], [0.0, 1.0], origin="west", region="eu-2")
    day.samples("dns.share", [0, 790], [0.0, 1.0], origin="east", region="eu-1")
    assert day.result("failover.dns_tail_s").value == 90
    day.at(780, "dns.changed", "dns/east", record="east", to="eu-2", ttl_s=60)
    assert day.result("failover.dns_tail_s").censored_at == 80


def test_the_model_of_the_tail_ends_at_the_time_to_live_when_nearly_all_keep_to_it() -> None:
    assert model_tail_s(60, 0.01, 1800, 1000) == 60
    assert model_tail_s(60, 0.05, 1800, 1e12) == pytest.approx(60 + 1800 * 1.6094, rel=1e-3)
    assert model_tail_s(60, 0.05, 1800, 100) > model_tail_s(60, 0.05, 1800, 10_000)


def test_flaps_are_moves_beyond_the_first_that_are_no_approved_way_back() -> None:
    day = Day()
    for t in (700, 900, 1100):
        day.at(t, "failover.promoted", "database/orders", from_="a", to="b")
    assert day.result("failover.flaps").value == 2
    day.at(1200, "failback.completed", "region/eu-1")
    assert day.result("failover.flaps").value == 1
    assert Day().result("failover.flaps").grade is Grade.NOT_APPLICABLE
