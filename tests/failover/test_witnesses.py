"""Clients of a database beside the users: what they are told, what is lost of it, and that they change nothing for the users."""

import pytest
from pydantic import ValidationError

from gameday.scenario.system import Database

LEASE_S, PROMOTE_S, ROUTE_S = 10.0, 2.0, 1.0
HANGS_S, WAKES_S = 60.0, 100.0
NODES = [{"node": "a1"}, {"node": "b1"}]
PROXIES = [{"region": "a"}, {"region": "b"}]
CHECK = {"interval": "1s", "timeout": "1s", "unhealthy": 2}


def hung(small, witnesses, **promotion):
    """A day whose primary's agent hangs for forty seconds."""
    day = small(database={"witnesses": witnesses}, promotion={"fence": False, "check": CHECK, **promotion})
    day.at(HANGS_S, "freeze_agent", "database/orders/primary")
    day.at(WAKES_S, "resume_agent", "database/orders@a1")
    day.until(130.0)
    return day


def promoted_at(day):
    return day.events("failover.promoted")[0].t


def test_who_holds_on_to_an_old_primary_past_its_proxy_loses_everything_it_was_told_until_that_one_hears_of_it(small):
    alone, watched = hung(small, []), hung(small, NODES)
    summary = watched.finish()
    assert alone.finish()["lost"] == 0, "the proxy has dropped the old primary before another one was promoted"
    two_s = WAKES_S - promoted_at(watched)
    since_s = PROMOTE_S + 0.2  # what the replica had not received when it left the stream
    assert summary["oldest_lost_s"] == pytest.approx(two_s + since_s, abs=0.2)
    assert summary["lost"] == summary["unreconciled"] == pytest.approx(10.0 * (two_s + since_s), abs=2)
    assert summary["conflicting"] == pytest.approx(10.0 * two_s, abs=2)
    assert summary["acknowledged"] == summary["surviving"] + summary["lost"]


def test_who_goes_through_the_proxy_loses_what_its_users_lose(small):
    summary = hung(small, PROXIES).finish()
    assert summary["lost"] == 0
    assert "oldest_lost_s" not in summary


def test_witnesses_change_nothing_for_the_users(small):
    alone, watched = hung(small, []), hung(small, [*NODES, *PROXIES])
    assert alone.log("a1") == watched.log("a1")
    assert alone.log("b1") == watched.log("b1")
    assert [(e.t, e.kind) for e in alone.world.recorder.timeline] == [(e.t, e.kind) for e in watched.world.recorder.timeline]


def test_each_writes_at_its_rate_and_a_replica_refuses(small):
    day = small(database={"witnesses": [{"node": "a1", "rate": "4/s"}, {"node": "b1"}, {"region": "b", "rate": "2/s"}]})
    before = small(database={})
    for one in (day, before):
        one.until(30.0)
    summary, plain = day.finish(), before.finish()
    assert summary["attempted"] - plain["attempted"] == pytest.approx(30 * (4 + 10 + 2), abs=3)
    assert summary["acknowledged"] - plain["acknowledged"] == pytest.approx(30 * (4 + 2), abs=2)
    assert summary["indeterminate"] == plain["indeterminate"]


def test_a_synchronous_primary_whose_standby_left_answers_no_witness(small):
    pair = {"replication": "synchronous", "witnesses": NODES}
    day = small(database=pair, promotion={"fence": False})
    day.at(HANGS_S, "freeze_agent", "database/orders/primary")
    day.at(WAKES_S, "resume_agent", "database/orders@a1")
    day.until(130.0)
    summary = day.finish()
    assert summary["lost"] == 0
    assert summary["indeterminate"] >= 9, "each waits three seconds for an answer"


def test_a_dead_node_refuses_and_its_witness_comes_back_with_it(small):
    day = small(database={"witnesses": [{"node": "a1"}]}, promotion={"mode": "none"})
    day.at(20.0, "kill", "database/orders/primary")
    day.at(30.0, "restart", "database/orders@a1")
    day.until(50.0)
    acknowledged = day.cluster.witnesses.findings().acknowledged
    assert 10.0 * 30 < acknowledged < 10.0 * 40


def test_what_every_node_has_is_forgotten_and_still_counted(small):
    for keep_logs in (True, False):
        day = small(keep_logs=keep_logs, database={"witnesses": NODES}, promotion={"fence": False, "check": CHECK})
        day.at(200.0, "freeze_agent", "database/orders/primary")
        day.at(240.0, "resume_agent", "database/orders@a1")
        day.until(500.0)
        found = day.finish()
        kept = len(day.cluster.witnesses._noted)
        if keep_logs:
            whole = found
            assert kept == found["attempted"] - day_of_users(day)
        else:
            assert found == whole
            assert kept < 2 * 10 * 61


def day_of_users(day):
    return sum(day.world.engine.observe().writes_attempted)


def test_a_database_without_witnesses_reads_as_before():
    database = Database(primary="a1", slots=1, service_time="constant 1ms")
    assert "witnesses" not in database.model_dump()
    with pytest.raises(ValidationError):
        Database(primary="a1", slots=1, service_time="constant 1ms", witnesses=[{"node": "a1", "rate": 0}])
