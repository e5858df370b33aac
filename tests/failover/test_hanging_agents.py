"""An agent that hangs beside a database that does not: who leads, who may write meanwhile, and what is lost."""

from itertools import pairwise

import pytest

LEASE_S, HEARTBEAT_S, PROMOTE_S = 10.0, 2.0, 2.0


def promoted_at(day):
    return day.events("failover.promoted")[0].t


def test_an_agent_that_hangs_leaves_two_primaries_until_it_wakes_and_loses_the_writes_of_the_old_one(small):
    day = small(promotion={"fence": False, "route": "5s"})
    day.at(60.0, "freeze_agent", "database/orders/primary")
    day.at(100.0, "resume_agent", "database/orders@a1")
    day.until(130.0)
    promoted = promoted_at(day)
    assert 60.0 + LEASE_S - HEARTBEAT_S + PROMOTE_S <= promoted <= 60.0 + LEASE_S + PROMOTE_S + 0.1
    assert day.split_brain() == pytest.approx((promoted, 100.0)), "an agent that wakes is overdue and looks at once"
    gaps = [later - earlier for earlier, later in pairwise(day.log("a1")[0])]
    assert max(gaps) < 0.5, "the database under it never stopped"
    summary = day.finish()
    gone = day.acknowledged_between("a1", promoted - PROMOTE_S - 0.2, 130.0)
    assert summary["lost"] == gone > 40.0 * 5.0, "what the replica had not received when it left the stream"
    assert summary["conflicting"] > 0
    assert day.cluster.nodes["a1"].term is day.cluster.current, "it rewound and follows"


def test_a_watchdog_fences_a_primary_whose_agent_hangs_and_a_replica_whose_agent_hangs_is_not_promoted(small):
    fenced, nobody = small(promotion={}), small(promotion={})
    for day in (fenced, nobody):
        day.at(60.0, "freeze_agent", "database/orders@a1")
    nobody.at(59.0, "freeze_agent", "database/orders@b1")
    for day in (fenced, nobody):
        day.until(100.0)
        assert day.split_brain() is None
        assert day.log("a1")[0][-1] < 70.0 + 0.1
    assert promoted_at(fenced) > 68.0
    assert not nobody.events("failover.promoted")


def test_a_synchronous_primary_whose_agent_hangs_acknowledges_nothing_once_its_standby_has_left(small):
    pair = {"replication": "synchronous", "when_replicas_are_lost": "degrade"}
    day = small(database=pair, promotion={"fence": False, "route": "5s"})
    day.at(60.0, "freeze_agent", "database/orders/primary")
    day.at(110.0, "resume_agent", "database/orders@a1")
    day.until(140.0)
    assert promoted_at(day) < 75.0
    assert day.split_brain() is None, "without its agent nobody lets it go on alone"
    assert day.acknowledged_between("a1", promoted_at(day) - PROMOTE_S + 0.1, 140.0) == 0
    assert day.finish()["lost"] == 0
    assert day.log("b1")[0][0] < promoted_at(day) + 5.0 + 0.2, "a new primary has lost no replica it would have to wait for"


@pytest.mark.parametrize("fault", ["freeze_agent", "freeze"])
def test_a_candidate_that_asks_the_others_waits_for_an_agent_that_hangs(small, fault):
    """The log goes on meanwhile where only the agent hangs, and the old primary is lost from later on."""
    at_once, asks = (small(promotion={"fence": False, "route": "5s", **more}) for more in ({}, {"ask": "3s"}))
    for day in (at_once, asks):
        day.at(60.0, fault, "database/orders/primary")
        day.until(100.0)
    assert asks.events("failover.triggered")[0].t == at_once.events("failover.triggered")[0].t
    assert promoted_at(asks) == pytest.approx(promoted_at(at_once) + 3.0)


@pytest.mark.parametrize(("what", "target"), [("kill", "database/orders/primary"), ("stop_replication", "database/orders@b1")])
def test_asking_costs_nothing_where_every_agent_answers_or_refuses(small, what, target):
    at_once, asks = (small(promotion=more) for more in ({}, {"ask": "3s"}))
    for day in (at_once, asks):
        day.at(50.0, what, target)
        day.at(60.0, "kill", "database/orders@a1")
        day.until(100.0)
    assert promoted_at(asks) == promoted_at(at_once)


def test_asking_a_place_that_cannot_be_reached_costs_its_time(small):
    at_once, asks = (small(promotion=more) for more in ({}, {"ask": "3s"}))
    for day in (at_once, asks):
        for way in ("link/a->b", "link/b->a", "link/a->c", "link/c->a"):
            day.at(60.0, "cut", way)
        day.until(100.0)
    assert promoted_at(asks) == pytest.approx(promoted_at(at_once) + 3.0)


def test_a_leader_that_is_back_before_all_have_answered_keeps_the_lease(small):
    day = small(promotion={"fence": False, "ask": "3s"})
    day.at(60.0, "freeze_agent", "database/orders/primary")
    day.until(69.0)
    while not day.events("failover.triggered"):
        day.until(day.world.env.now + 0.1)
    day.at(day.world.env.now + 1.0, "resume_agent", "database/orders@a1")
    day.until(100.0)
    assert not day.events("failover.promoted")
    assert day.cluster.primary == "a1"
