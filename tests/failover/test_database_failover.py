"""Databases that lose their primary: what is promoted, who may write meanwhile, and exactly which writes are gone."""

import pytest

LEASE_S, HEARTBEAT_S, PROMOTE_S, ROUTE_S = 10.0, 2.0, 2.0, 1.0


def cut_off(day, region, start, end=None):
    """Cut a region off from the two others, clients not included."""
    for other in "abc".replace(region, ""):
        day.at(start, "cut", f"link/{region}<->{other}")
        if end is not None:
            day.at(end, "mend", f"link/{region}<->{other}")


def promoted_at(day):
    return day.events("failover.promoted")[0].t


def test_a_killed_primary_loses_exactly_the_writes_replication_had_not_carried(small):
    day = small(promotion={})
    day.at(30.0, "stop_replication", "database/orders@b1")
    day.at(40.0, "kill", "database/orders/primary")
    day.until(100.0)
    summary = day.finish()
    gap = day.acknowledged_between("a1", 30.0 - 0.2, 40.0)
    assert gap > 300
    assert summary["lost"] == gap == day.events("failover.promoted")[0].data["lost_writes"]
    assert summary["oldest_lost_s"] == pytest.approx(10.2, abs=0.2), "measured back from the kill"
    assert summary["conflicting"] == 0
    assert summary["unreconciled"] == 0, "the node never came back with them"
    assert summary["acknowledged"] == summary["surviving"] + summary["lost"]


def test_with_replication_running_only_the_lag_is_lost(small):
    day = small(promotion={})
    day.at(40.0, "kill", "database/orders/primary")
    day.until(80.0)
    assert day.finish()["lost"] == day.acknowledged_between("a1", 40.0 - 0.2, 40.0) > 0


def test_the_write_outage_is_lease_minus_heartbeat_phase_plus_promotion_plus_route(small):
    day = small(promotion={})
    day.at(40.0, "kill", "database/orders/primary")
    day.until(80.0)
    first = day.log("b1")[0][0]
    assert 40.0 + LEASE_S - HEARTBEAT_S + PROMOTE_S + ROUTE_S <= first <= 40.0 + LEASE_S + PROMOTE_S + ROUTE_S + 0.2


def test_synchronous_replication_loses_nothing(small):
    day = small(database={"replication": "synchronous", "replicas": ["b1", "c1"]}, promotion={})
    day.at(40.0, "kill", "database/orders/primary")
    day.until(100.0)
    summary = day.finish()
    assert summary["lost"] == 0
    assert len(day.log("b1")[0]) > 1000, "writes went on at the new primary"


def test_the_last_node_of_a_synchronous_pair_blocks_unless_it_may_degrade(small):
    for rule, goes_on in (("block", False), ("degrade", True)):
        day = small(database={"replication": "synchronous", "when_replicas_are_lost": rule}, promotion={})
        day.at(40.0, "kill", "database/orders/primary")
        day.until(100.0)
        assert (len(day.log("b1")[0]) > 1000) is goes_on


def test_a_synchronous_commit_waits_for_the_round_trip(small):
    lone, pair = small(database={}), small(database={"replication": "synchronous"})
    for day in (lone, pair):
        day.until(20.0)
    [there], [here] = ([day.cluster.nodes["a1"].applied["commit_delay_s"]] for day in (pair, lone))
    assert (here, there) == (0.0, pytest.approx(0.020))
    pair.at(21.0, "shape", "link/a<->b", 0.030, 0.0)
    pair.until(30.0)
    assert pair.cluster.nodes["a1"].applied["commit_delay_s"] == pytest.approx(0.080)


def test_synchronous_commits_block_while_the_only_replica_is_gone(small):
    day = small(database={"replication": "synchronous"})
    day.at(30.0, "kill", "database/orders@b1")
    day.until(60.0)
    assert day.acknowledged_between("a1", 30.0, 60.0) == 0
    assert day.cluster.writable() == []


def test_degrading_goes_on_alone_after_the_time_to_give_up_and_says_so(small):
    day = small(database={"replication": "synchronous", "when_replicas_are_lost": "degrade"})
    day.at(30.0, "kill", "database/orders@b1")
    day.at(50.0, "restart", "database/orders@b1")
    day.until(80.0)
    assert day.acknowledged_between("a1", 30.0, 39.99) == 0
    assert day.acknowledged_between("a1", 39.99, 50.0) > 300
    assert [event.t for event in day.events("degradation.started")] == [40.0]
    [ended] = day.events("degradation.ended")
    assert 55.0 < ended.t < 70.0, "after booting and catching up twenty-five seconds at four a second"
    assert day.cluster.nodes["a1"].applied["commit_delay_s"] > 0.0


def test_quorum_commits_block_without_a_majority_and_only_then(small):
    three = {"replication": "quorum", "replicas": ["b1", "c1"]}
    day = small(database=three)
    day.at(30.0, "kill", "database/orders@b1")
    day.at(50.0, "kill", "database/orders@c1")
    day.until(70.0)
    assert day.acknowledged_between("a1", 30.0, 50.0) > 700
    assert day.acknowledged_between("a1", 50.0, 70.0) == 0


def test_a_replica_catches_up_at_its_speed_after_an_interruption(small):
    day = small(database={"catch_up": 4.0})
    day.at(10.0, "stop_replication", "database/orders@b1")
    day.at(40.0, "start_replication", "database/orders@b1")
    day.until(40.0 - 1e-3)
    assert day.cluster.lag_of("b1") == pytest.approx(30.2, abs=0.01)
    day.until(45.0)
    assert day.cluster.lag_of("b1") == pytest.approx(30.2 - 5.0 * 3.0)
    day.until(55.0)
    assert day.cluster.lag_of("b1") == pytest.approx(0.2)


def test_asking_for_the_lag_changes_nothing(small):
    quiet, asked = (small(seed=3, database={"lag": "lognormal 2s cv 1"}, promotion={}) for _ in range(2))
    for day in (quiet, asked):
        day.at(60.0, "kill", "database/orders/primary")
    for step in range(1, 400):
        asked.until(step * 0.25)
        asked.cluster.lag_s()
    for day in (quiet, asked):
        day.until(100.0)
        day.finish()
    assert quiet.world.recorder.timeline.digest() == asked.world.recorder.timeline.digest()


def test_single_quorum_without_a_fence_is_a_split_brain_with_conflicting_writes(small):
    day = small(promotion={"quorum": "single", "fence": False})
    cut_off(day, "a", 60.0, 103.0)
    day.until(160.0)
    start, end = day.split_brain()
    assert start == pytest.approx(promoted_at(day))
    assert 103.0 <= end <= 103.0 + HEARTBEAT_S
    summary = day.finish()
    assert summary["conflicting"] == day.acknowledged_between("a1", start - 1e-6, end) > 1000
    assert summary["lost"] == day.acknowledged_between("a1", 60.0 - 0.2, end)
    assert summary["unreconciled"] == summary["lost"], "the old primary came back with all of them"


def test_a_majority_promotes_while_the_cut_off_primary_goes_on_when_nothing_fences_it(small):
    """The shape of a well-known outage of 2018: 43 seconds without the link, then both sides hold what the other lacks."""
    day = small(promotion={"fence": False}, load=near_and_far(), system=two_origins())
    cut_off(day, "a", 60.0, 103.0)
    day.until(160.0)
    summary = day.finish()
    assert summary["conflicting"] > 500
    assert day.events("failover.triggered")[0].data["correct"] is False, "the primary was well"
    assert day.log("a1")[0][-1] > 103.0 > day.log("b1")[0][0], "both sides took writes"


@pytest.mark.parametrize("quorum", ["single", "majority"])
def test_a_watchdog_stops_the_old_primary_before_the_new_one_begins(small, quorum):
    day = small(promotion={"quorum": quorum, "fence": True})
    cut_off(day, "a", 60.0, 103.0)
    day.until(160.0)
    assert day.split_brain() is None
    assert day.finish()["conflicting"] == 0
    assert [event.data["node"] for event in day.events("database.role") if event.data["role"] == "fenced"] == ["a1"]


@pytest.mark.parametrize("skew_s", [0.0, 5.0, 15.0])
def test_a_clock_put_back_lets_the_old_primary_write_for_that_much_longer(small, skew_s):
    day = small(promotion={})
    if skew_s:
        day.at(50.0, "skew_clock", "database/orders@a1", skew_s)
    cut_off(day, "a", 60.0)
    day.until(120.0)
    expired = promoted_at(day) - PROMOTE_S
    last = day.log("a1")[0][-1]
    assert last <= expired + skew_s
    assert last == pytest.approx(expired + skew_s, abs=0.5)
    if skew_s > PROMOTE_S:
        assert day.split_brain() == (pytest.approx(promoted_at(day)), pytest.approx(expired + skew_s))


def test_a_frozen_primary_wakes_up_and_believes_until_its_next_heartbeat(small):
    day = small(promotion={})
    day.at(60.0, "freeze", "database/orders@a1")
    day.at(90.0, "resume", "database/orders@a1")
    day.until(140.0)
    assert 60.0 < promoted_at(day) < 90.0
    start, end = day.split_brain()
    assert start == pytest.approx(90.0)
    assert 0.0 < end - start <= HEARTBEAT_S
    assert day.finish()["lost"] >= day.acknowledged_between("a1", 60.0 - 0.2, 60.0) > 0
    assert day.cluster.primary == "b1"


def test_a_frozen_synchronous_primary_commits_nothing_when_it_wakes_up(small):
    day = small(database={"replication": "synchronous"}, promotion={})
    day.at(60.0, "freeze", "database/orders@a1")
    day.at(90.0, "resume", "database/orders@a1")
    day.until(140.0)
    assert day.split_brain() is None
    assert day.finish()["lost"] == 0


def test_a_replica_behind_the_allowed_lag_is_not_promoted(small):
    day = small(promotion={"maximum_lag": "5s"})
    day.at(30.0, "stop_replication", "database/orders@b1")
    day.at(60.0, "kill", "database/orders/primary")
    day.until(100.0)
    assert day.events("failover.promoted") == []
    assert [event.data["step"] for event in day.events("failover.failed")] == ["check"]
    assert day.finish()["lost"] == 0, "nothing has left it behind"


def test_two_nodes_without_a_third_voter_have_nobody_to_elect(small):
    day = small(promotion={"voters": []})
    day.at(40.0, "kill", "database/orders/primary")
    day.until(100.0)
    [failed] = day.events("failover.failed")
    assert (failed.data["step"], "1 of 2 voters" in failed.data["why"]) == ("elect", True)


def test_an_old_primary_with_writes_of_its_own_stays_out_when_told_so_until_it_is_let_in(small):
    day = small(promotion={"rejoin": "stay_out"})
    day.at(40.0, "kill", "database/orders@a1")
    day.at(70.0, "restart", "database/orders@a1")
    day.until(100.0)
    assert day.cluster.nodes["a1"].out
    assert day.finish()["unreconciled"] > 0
    assert day.cluster.readmit("a1") is None
    day.until(140.0)
    assert day.cluster.lag_of("a1") == pytest.approx(0.2)


def test_a_restarted_primary_that_nobody_replaced_goes_on(small):
    day = small(promotion={"mode": "manual"})
    day.at(40.0, "kill", "database/orders@a1")
    day.at(45.0, "restart", "database/orders@a1")
    day.until(90.0)
    assert (day.cluster.primary, day.finish()["lost"]) == ("a1", 0)
    assert day.acknowledged_between("a1", 50.0, 90.0) > 1000


def test_people_promote_what_can_be_promoted_and_are_told_why_not(small):
    day = small(promotion={"mode": "manual"})
    day.at(40.0, "kill", "database/orders@a1")
    day.until(60.0)
    assert day.cluster.request_promotion("ana") is None
    assert "already" in day.cluster.request_promotion("ana")
    day.until(90.0)
    assert day.cluster.primary == "b1"
    assert [event.data["step"] for event in day.events("failover.step")] == ["fence", "promote"]
    assert "no replica" in day.cluster.request_promotion("ana")


def test_a_primary_nobody_can_reach_is_rightly_replaced_though_it_runs(small):
    day = small(promotion={})
    cut_off(day, "a", 60.0)
    day.at(60.0, "cut", "link/internet<->a")
    day.until(100.0)
    assert [event.data["correct"] for event in day.events("failover.triggered")] == [True]


def test_callers_cut_off_with_the_old_primary_are_routed_back_after_the_partition(small):
    day = small(promotion={"fence": False}, load=near_and_far(), system=two_origins())
    cut_off(day, "a", 60.0, 103.0)
    day.until(100.0)
    router = day.cluster.router
    assert (router.zone_for("a"), router.zone_for("b")) == ("a1", "b1")
    day.until(110.0)
    assert (router.zone_for("a"), router.zone_for("b")) == ("b1", "b1")


def near_and_far():
    return {"classes": {name: {"entry": "shop", "rate": "20/s", "origins": {name: 1.0}} for name in ("near", "far")}}


def two_origins():
    return {"traffic": {"origins": {"near": {"share": 0.5, "region": "a"}, "far": {"share": 0.5, "region": "b"}}}}


def test_a_full_disk_refuses_writes_and_keeps_the_leadership(small):
    day = small(promotion={})
    day.at(40.0, "fill_disk", "database/orders/primary")
    day.at(70.0, "free_disk", "database/orders@a1")
    day.until(90.0)
    assert day.acknowledged_between("a1", 40.1, 70.0) == 0
    assert day.acknowledged_between("a1", 70.0, 90.0) > 500
    assert day.events("failover.triggered") == []


def reads(**database):
    call = {"to": "database/orders", "operation": "read", "read_from": "nearest", "timeout": "1s"}
    shop = {"instances": {"b1": 2}, "slots": 50, "service_time": "constant 1ms", "calls": [call]}
    orders = {"primary": "a1", "replicas": ["b1"], "slots": 50, "service_time": "constant 2ms", "lag": "200ms", **database}
    return {"services": {"shop": shop}, "databases": {"orders": orders}}


def test_reads_from_a_copy_older_than_promised_are_counted_or_refused(small):
    limit = {"consistency": "bounded", "staleness_limit": "5s"}
    counted, refused = small(system=reads(**limit)), small(system=reads(refuse_stale_reads=True, **limit))
    for day in (counted, refused):
        day.at(30.0, "stop_replication", "database/orders@b1")
        day.until(60.0)
    stale_from = 30.0 + 5.0 - 0.2
    assert counted.finish()["stale_reads"] == pytest.approx(40 * (60.0 - stale_from), rel=0.1)
    assert refused.finish()["stale_reads"] == 0
    reasons = refused.world.engine.observe().lost[0]
    assert sum(reasons) == pytest.approx(40 * (60.0 - stale_from), rel=0.1)


@pytest.mark.parametrize(("age_by", "given"), [("role", True), ("data", False)])
def test_a_replaced_primary_takes_its_copy_for_new_unless_readers_look_at_the_data(small, age_by, given):
    limit = {"consistency": "bounded", "staleness_limit": "5s", "refuse_stale_reads": True, "age_by": age_by}
    day = small(system=reads(primary="b1", replicas=["a1"], **limit), promotion={"fence": False})
    day.at(30.0, "freeze_agent", "database/orders@b1")
    day.until(80.0)
    old = 80.0 - promoted_at(day) - 5.0
    assert day.finish()["stale_reads"] == pytest.approx(40 * old if given else 0, rel=0.15)
    assert sum(day.world.engine.observe().lost[0]) == pytest.approx(0 if given else 40 * old, rel=0.15)


@pytest.mark.parametrize(("consistency", "stale"), [("strong", 40 * 60), ("eventual", 0)])
def test_the_promise_to_readers_decides_what_counts_as_stale(small, consistency, stale):
    day = small(system=reads(consistency=consistency))
    day.until(60.0)
    assert day.finish()["stale_reads"] == pytest.approx(stale, rel=0.1)


def test_reads_of_a_dead_copy_go_to_the_primary_after_the_routers_delay(small):
    day = small(system=reads(consistency="eventual"))
    day.at(30.0, "kill", "database/orders@b1")
    day.until(60.0)
    assert day.cluster.router.zone_for("b", nearest=True) == "a1"
    assert sum(day.world.engine.observe().lost[0]) == pytest.approx(40 * 2.0, rel=0.3)


def test_the_log_stays_short_and_the_count_stays_exact(small):
    short, whole = (small(promotion={}, keep_logs=keep) for keep in (False, True))
    for day in (short, whole):
        day.at(300.0, "stop_replication", "database/orders@b1")
        day.at(330.0, "kill", "database/orders/primary")
        day.at(350.0, "restart", "database/orders@a1")
        day.until(500.0)
    assert short.world.engine.write_log(short.cluster.nodes["a1"].station).base > 5000
    assert short.finish() == whole.finish()


def test_a_fenced_primary_commits_nothing_of_what_it_had_in_hand(small):
    day = small(database={"service_time": "constant 400ms"})
    day.until(30.0)
    day.cluster.fence("a1")
    day.until(40.0)
    assert day.log("a1")[0][-1] <= 30.0
    day.cluster.unfence("a1")
    day.until(50.0)
    assert day.log("a1")[0][-1] > 49.0
