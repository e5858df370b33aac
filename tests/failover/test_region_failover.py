"""Failover of a region and the way back: when it triggers, what each step does, how it fails, and who must agree."""

import pytest

from sim.control.faults import FaultPlayer
from sim.failover import RegionFailover

CONTROLLER = {
    "pairs": {"a": "b"},
    "trigger": "3of5",
    "probe_interval": "5s",
    "probe_timeout": "2s",
    "decide": "4s",
    "fence_time": "3s",
    "promote": "6s",
    "dns_ttl": "30s",
    "failback": {"enabled": False},
}
STEPS = ["detect", "decide", "check", "fence", "promote", "move"]


@pytest.fixture
def controlled(small):
    """A small world with a controller for region a; options are those of `policies.failover`."""

    def make(seed=1, promotion=None, database=None, extra=None, **options):
        day = small(
            seed=seed,
            promotion=promotion,
            database=database,
            policies={"failover": {**CONTROLLER, **options}},
            system={"traffic": {"dns": {"ignore_ttl": 0.0, "resolvers": 500}}, **(extra or {})},
        )
        FaultPlayer(day.world)
        day.controller = RegionFailover(day.world, day.resolvers)
        return day

    return make


def steps(day):
    return [(event.data["step"], event.data["outcome"]) for event in day.events("failover.step")]


def took(day, step):
    return next(event.data["took_s"] for event in day.events("failover.step") if event.data["step"] == step)


def test_a_dead_region_is_left_step_by_step_and_each_takes_its_own_time(controlled):
    day = controlled()
    day.at(60.0, "kill", "region/a")
    day.until(200.0)
    assert steps(day) == [(step, "succeeded") for step in STEPS]
    assert 10.0 <= took(day, "detect") <= 12.0, "from the first failed probe to the third, and its timeout"
    assert (took(day, "decide"), took(day, "fence"), took(day, "promote")) == (4.0, 3.0, 6.0)
    [triggered] = day.events("failover.triggered")
    assert 60.0 + 10.0 <= triggered.t <= 60.0 + 15.0 + 2.0
    assert triggered.data["correct"] is True
    [completed] = day.events("failover.completed")
    assert completed.t == pytest.approx(triggered.t + 13.0)
    assert day.cluster.primary == "b1"
    assert day.controller.state("a") == "moved"
    assert day.resolvers.share("everyone", "b") == 1.0
    good = day.world.engine.observe().good[0]
    day.until(210.0)
    assert day.world.engine.observe().good[0] - good == pytest.approx(400, rel=0.2), "served at the target"


def test_steps_with_nothing_to_do_are_recorded_as_skipped(controlled):
    day = controlled(databases=[])
    day.at(60.0, "kill", "region/a")
    day.until(150.0)
    assert [step for step, outcome in steps(day) if outcome == "skipped"] == ["fence", "promote"]


def test_a_cut_between_vantage_and_region_is_a_false_failover(controlled):
    day = controlled(vantage=["c"])
    day.at(60.0, "cut", "link/c<->a")
    day.until(100.0)
    [triggered] = day.events("failover.triggered")
    assert triggered.data["correct"] is False
    assert sum(day.world.engine.observe().lost[0]) < 40 * 15, "users were well until the database moved"
    assert [event.t for event in day.events("failover.completed")]


def test_all_vantages_must_agree(controlled):
    day = controlled(vantage=["c", "internet"])
    day.at(60.0, "cut", "link/c<->a")
    day.until(120.0)
    assert day.events("failover.triggered") == []


def test_a_vantage_that_is_gone_has_no_vote(controlled):
    day = controlled(vantage=["c"])
    day.at(60.0, "kill", "region/c")
    day.until(120.0)
    assert day.events("failover.triggered") == []


def test_too_few_failed_probes_trigger_nothing(controlled):
    day = controlled()
    day.at(60.0, "cut", "link/internet<->a")
    day.at(69.0, "mend", "link/internet<->a")
    day.until(120.0)
    assert day.events("failover.triggered") == []


def test_a_region_that_answers_wrongly_is_noticed_by_its_probes(controlled):
    day = controlled()
    day.at(60.0, "fail", "service/shop@a", 0.95)
    day.until(120.0)
    [triggered] = day.events("failover.triggered")
    assert triggered.data["correct"] is True


def test_stale_copies_stop_the_failover_at_the_check(controlled):
    day = controlled(check_lag="5s")
    day.at(40.0, "stop_replication", "database/orders@b1")
    day.at(60.0, "kill", "region/a")
    day.until(150.0)
    assert steps(day)[-1] == ("check", "failed")
    [failed] = day.events("failover.failed")
    assert (failed.data["step"], "behind" in failed.data["why"]) == ("check", True)
    assert day.cluster.primary == "a1"


def test_a_dead_target_is_not_failed_over_to_unless_nobody_looks(controlled):
    for looks, expected in ((True, ("check", "failed")), (False, ("move", "succeeded"))):
        day = controlled(check_target=looks, database={"replicas": []}, databases=[])
        day.at(50.0, "kill", "service/shop@b")
        day.at(60.0, "kill", "region/a")
        day.until(150.0)
        assert steps(day)[-1] == expected


def test_an_unreachable_primary_cannot_be_fenced_over_the_network(controlled):
    day = controlled(fence_out_of_band=False)
    day.at(60.0, "cut", "link/internet<->a")
    day.at(60.0, "cut", "link/a<->b")
    day.until(150.0)
    assert steps(day)[-1] == ("fence", "failed")
    assert day.cluster.writable() == ["a1"]


def test_without_a_fence_a_cut_off_primary_is_a_second_one(controlled):
    for fence, primaries in ((False, ["a1", "b1"]), (True, ["b1"])):
        day = controlled(fence=fence)
        for other in ("internet", "b", "c"):
            day.at(60.0, "cut", f"link/{other}<->a")
        day.until(150.0)
        assert day.cluster.writable() == primaries


def test_a_step_that_fails_by_itself_is_rolled_back_where_the_home_works(controlled):
    day = controlled(step_failure=1.0, vantage=["c"])
    day.at(60.0, "cut", "link/c<->a")
    day.until(200.0)
    [failed] = day.events("failover.failed")
    assert failed.data["step"] == "fence"
    assert day.cluster.writable() == ["a1"]
    assert day.resolvers.answer("everyone") == "a"
    assert len(day.events("failover.triggered")) == 1, "not again before the trigger has cleared"


def fail_only(day, step):
    """Let just one step fail by itself: the draw is made once per step."""
    day.controller._fails_by_itself = lambda move: day.controller._doing[move.home] == step


@pytest.mark.parametrize("rollback", [True, False])
def test_a_failed_promotion_releases_the_fenced_primary_if_it_is_undone(controlled, rollback):
    day = controlled(vantage=["c"], rollback=rollback)
    fail_only(day, "promote")
    day.at(60.0, "cut", "link/c<->a")
    day.until(200.0)
    assert [event.data["step"] for event in day.events("failover.failed")] == ["promote"]
    assert day.cluster.writable() == (["a1"] if rollback else [])


@pytest.mark.parametrize("rollback", [True, False])
def test_a_failed_move_brings_promoted_databases_home_without_loss(controlled, rollback):
    day = controlled(vantage=["c"], rollback=rollback)
    fail_only(day, "move")
    day.at(60.0, "cut", "link/c<->a")
    day.until(200.0)
    assert [event.data["step"] for event in day.events("failover.failed")] == ["move"]
    assert len(day.events("failover.rolled_back")) == rollback
    assert day.cluster.primary == ("a1" if rollback else "b1")
    summary = day.finish()
    first = day.events("failover.promoted")[0]
    assert summary["lost"] == first.data["lost_writes"], "only what the first promotion left behind"


def test_it_triggers_again_once_the_trigger_has_cleared(controlled):
    day = controlled(step_failure=1.0, vantage=["c"])
    for start in (60.0, 140.0):
        day.at(start, "cut", "link/c<->a")
        day.at(start + 40.0, "mend", "link/c<->a")
    day.until(200.0)
    assert len(day.events("failover.triggered")) == 2


def test_an_automatic_failover_waits_for_its_approver_and_for_no_other(controlled):
    day = controlled(approval="incident_commander")
    asked = []
    day.world.listeners.append(lambda what, subject: asked.append((what, subject)) if what == "failover.approval" else None)
    day.at(60.0, "kill", "region/a")
    day.until(150.0)
    assert asked == [("failover.approval", "a")]
    assert day.controller.state("a") == "waiting for approval"
    assert not day.controller.approve("ben", "scribe")
    day.until(160.0)
    assert day.events("failover.completed") == []
    assert day.controller.approve("ana", "incident_commander")
    day.until(180.0)
    assert len(day.events("failover.completed")) == 1


def test_a_region_that_recovers_while_nobody_approves_is_not_left(controlled):
    day = controlled(approval="incident_commander")
    day.at(60.0, "cut", "link/internet<->a")
    day.at(100.0, "mend", "link/internet<->a")
    day.until(200.0)
    assert [event.data["step"] for event in day.events("failover.failed")] == ["decide"]
    assert not day.controller.approve("ana", "incident_commander"), "nothing is waiting any more"


def test_a_manual_failover_waits_for_people_and_takes_the_same_steps(controlled):
    day = controlled(mode="manual")
    day.at(60.0, "kill", "region/a")
    day.until(120.0)
    assert day.events("failover.triggered") == []
    assert day.controller.triggered("a")
    assert "no region takes over" in day.controller.request("ana", "c")
    assert day.controller.request("ana", "a") is None
    assert "already" in day.controller.request("ben", "a")
    day.until(150.0)
    assert steps(day) == [(step, "succeeded") for step in STEPS[2:]]
    assert day.events("failover.completed")[0].t == pytest.approx(120.0 + 3.0 + 6.0)


def test_a_cold_target_is_slow_at_first(controlled):
    day = controlled(refill="60s", cold_factor=10.0, database={"replicas": []}, databases=[], move="anycast")
    slow = []
    apply = day.world.engine.apply
    day.world.engine.apply = lambda change: (slow.append(getattr(change, "slowdown", None)), apply(change))[1]
    day.at(60.0, "kill", "region/a")
    day.until(200.0)
    factors = [factor for factor in slow if factor is not None and factor != 1.0]
    assert factors[0] == 10.0
    assert factors == sorted(factors, reverse=True)
    assert took(day, "refill") == 60.0
    assert slow[-1] != 10.0


BACK = {"failback": {"stable_for": "60s", "lag_below": "1s"}}


def back_home(controlled, **options):
    day = controlled(**{**BACK, **options})
    day.at(60.0, "kill", "region/a")
    day.at(120.0, "restart", "region/a")
    return day


def test_failback_waits_for_stability_and_freshness_then_for_approval(controlled):
    day = back_home(controlled)
    day.until(400.0)
    [requested] = day.events("failback.requested")
    assert requested.t >= 125.0 + 60.0
    assert requested.data["stable_s"] >= 60.0
    assert requested.data["lag_s"] < 1.0
    assert day.events("failback.completed") == []
    assert not day.controller.approve_failback("ben", "scribe")
    assert day.controller.approve_failback("ana", "incident_commander")
    day.until(500.0)
    [completed] = day.events("failback.completed")
    assert (completed.data["by"], completed.data["role"]) == ("ana", "incident_commander")
    assert day.cluster.primary == "a1"
    assert day.resolvers.share("everyone", "a") == 1.0
    assert day.controller.state("a") == "home"


def test_the_way_back_loses_no_write(controlled):
    day = back_home(controlled)
    day.until(300.0)
    day.controller.approve_failback("ana", "incident_commander")
    day.until(400.0)
    there, back = day.events("failover.promoted")
    assert back.data["lost_writes"] == 0
    assert day.finish()["lost"] == there.data["lost_writes"]


def test_failback_without_an_approver_goes_by_itself_and_shows_no_approval(controlled):
    day = back_home(controlled, failback={"approval": None, "stable_for": "60s"})
    day.until(400.0)
    assert day.events("failback.approved") == []
    [completed] = day.events("failback.completed")
    assert "role" not in completed.data


def test_a_home_that_fails_again_withdraws_the_request(controlled):
    day = back_home(controlled)
    day.at(250.0, "kill", "region/a")
    day.until(300.0)
    assert len(day.events("failback.requested")) == 1
    assert not day.controller.approve_failback("ana", "incident_commander")


def test_impatient_failback_flaps_with_an_intermittent_home(controlled):
    day = controlled(failback={"approval": None, "stable_for": "10s", "lag_below": "60s"}, trigger="2of2")
    for start in (60.0, 160.0, 260.0, 360.0):
        day.at(start, "kill", "region/a")
        day.at(start + 40.0, "restart", "region/a")
    day.until(460.0)
    assert len(day.events("failover.completed")) >= 3


def test_a_database_its_own_manager_has_moved_is_left_alone(controlled):
    day = controlled(promotion={"lease": "5s", "heartbeat": "1s"})
    day.at(60.0, "kill", "region/a")
    day.until(200.0)
    assert [event.data["failover"] for event in day.events("failover.promoted")] == ["database/orders"]
    assert ("move", "succeeded") in steps(day)
