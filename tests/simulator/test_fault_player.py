"""The schedule: faults come and go at their times, by themselves as a renewal process, and planned work loses nothing."""

from math import sqrt

import pytest

from gameday.ports import LacksCapability, Slowable
from sim.traffic.plan import Reason
from sim.world import World
from tests.simulator.small import BUY, ORDERS, SHOP, bare, small


def test_a_fault_lasts_exactly_as_long_as_it_says():
    day = small(faults=["slow service/shop factor=5 at 60s for 30s"])
    day.until(120.0)
    assert day.times("fault.injected") == [60.0]
    assert day.times("fault.healed") == [90.0]
    assert day.events("fault.healed")[0].data["by"] == "schedule"
    assert day.unit("shop@a1/0").slowdown == 1.0


def test_a_fault_without_an_end_stays_until_somebody_mends_it_and_is_mended_once():
    day = small(faults=["kill service/shop@a1 at 60s"])
    day.until(400.0)
    assert not day.unit("shop@a1/0").serving
    [active] = day.day.faults.mended_by("restart")
    assert day.day.faults.heal(active.index, "ana")
    assert not day.day.faults.heal(active.index, "ben")
    day.until(420.0)
    assert day.unit("shop@a1/0").serving
    assert [event.data["by"] for event in day.events("fault.healed")] == ["ana"]


def test_a_fault_that_was_mended_early_is_not_healed_again_at_its_end():
    day = small(faults=["kill service/shop@a1 at 60s for 5m"])
    day.until(100.0)
    day.day.faults.heal("0", "ana")
    day.until(500.0)
    assert day.times("fault.healed") == [100.0]


def test_overlapping_faults_are_each_healed_alone():
    faults = ["kill service/shop at 60s for 60s", "kill zone/a1 at 90s for 60s"]
    day = small(shop={"boot": "1s"}, faults=faults)
    day.until(122.0)
    assert day.unit("shop@a2/0").serving
    assert not day.unit("shop@a1/0").serving
    day.until(152.0)
    assert day.unit("shop@a1/0").serving


def test_the_primary_that_was_killed_is_the_node_that_comes_back():
    promotion = {
        "mode": "automatic",
        "lease": "10s",
        "heartbeat": "2s",
        "promote": "1s",
        "route": "1s",
        "voters": ["a1", "b1", "a2"],
    }
    faults = ["kill database/orders/primary at 30s for 60s", "slow database/orders/primary factor=2 at 60s for 60s"]
    day = small(system={"databases": {"orders": ORDERS}}, faults=faults, policies={"databases": {"orders": promotion}})
    day.until(70.0)
    assert day.world.clusters["orders"].primary == "b1"
    assert (day.unit("database/orders@a1").slowdown, day.unit("database/orders@b1").slowdown) == (1.0, 2.0)
    day.until(130.0)
    assert day.unit("database/orders@a1").serving
    assert day.unit("database/orders@b1").slowdown == 1.0


def test_a_fault_the_system_cannot_have_is_on_record_and_the_day_goes_on(monkeypatch):
    monkeypatch.setattr("sim.day.World", type("World", (World,), {"slow": None, "unslow": None}))
    day = small(faults=["slow service/shop factor=5 at 60s for 30s", "kill service/shop@b at 70s for 10s"])
    assert not isinstance(day.world, Slowable)
    day.until(200.0)
    [failed] = day.events("fault.failed")
    assert (failed.t, failed.subject) == (60.0, "fault/0")
    assert failed.data["why"] == str(LacksCapability(World.name, "Slowable", "slow"))
    assert day.times("fault.injected") == [70.0]
    assert day.times("fault.healed") == [80.0]


# -- background failures --------------------------------------------------------------------------------------------------


def test_availability_of_a_renewal_process_is_mtbf_over_mtbf_plus_mttr():
    background = [{"target": "service/shop", "mtbf": "20m", "mttr": "5m"}]
    world = bare(shop={"instances": 4, "boot": "0s"}, schedule={"background": background})
    end = 400 * 3600.0
    world.env.run(until=end)
    down: dict[str, float] = {}
    for event in world.recorder.timeline.of("fault.injected", "fault.healed"):
        member = event.data["selector"]
        down[member] = down.get(member, 0.0) + (end - event.t if event.kind == "fault.injected" else event.t - end)
    assert len(down) == 12, "every instance fails by itself"
    up = [1.0 - each / end for each in down.values()]
    mean = sum(up) / len(up)
    spread = sqrt(sum((each - mean) ** 2 for each in up) / (len(up) - 1) / len(up))
    assert abs(mean - 20.0 / 25.0) < 4.0 * spread
    assert spread < 0.01


def test_what_fails_together_is_down_at_the_same_times():
    background = [{"target": "service/shop", "together": True, "mtbf": "20m", "mttr": "5m"}]
    world = bare(shop={"instances": 4, "boot": "0s"}, schedule={"background": background})
    world.env.run(until=4 * 3600.0)
    failures = list(world.recorder.timeline.of("fault.injected"))
    assert {event.data["selector"] for event in failures} == {"service/shop"}
    assert 4 < len(failures) < 30


def test_times_between_failures_have_the_mean_and_spread_of_an_exponential():
    background = [{"target": "provider/pay", "mtbf": "10m", "mttr": "1s", "fault": "outage"}]
    world = bare(schedule={"background": background}, system={"providers": {"pay": {"service_time": "10ms"}}})
    world.env.run(until=400 * 3600.0)
    starts, ends = ([event.t for event in world.recorder.timeline.of(f"fault.{what}")] for what in ("injected", "healed"))
    gaps = [start - end for start, end in zip(starts, [0.0, *ends], strict=False)]
    mean = sum(gaps) / len(gaps)
    assert len(gaps) > 2000
    assert mean == pytest.approx(600.0, rel=4.0 / sqrt(len(gaps)))
    assert sum(gap > mean for gap in gaps) / len(gaps) == pytest.approx(0.368, abs=0.04)


def test_another_background_failure_moves_no_others_times():
    one = {"target": "service/shop@a1", "mtbf": "3m", "mttr": "30s"}
    other = {"target": "service/shop@b1", "mtbf": "3m", "mttr": "30s"}
    alone, both = small(schedule={"background": [one]}), small(schedule={"background": [other, one]})
    for day in (alone, both):
        day.until(599.0)
    mine = [event.t for event in both.events("fault.injected") if "shop@a1" in event.data["selector"]]
    assert mine == alone.times("fault.injected") != []


# -- planned work ---------------------------------------------------------------------------------------------------------


def work(target, lasts="60s"):
    return {"maintenance": [{"what": "new kernel", "target": target, "at": "60s", "for": lasts}]}


def test_planned_work_drains_then_stops_then_brings_back_and_loses_nothing():
    shop = {"service_time": "exponential 500ms", "slots": 30, "timeout": "20s", "health_check": {"interval": "1s"}}
    day = small(shop=shop, classes={"buy": {**BUY, "deadline": "20s", "timeout": "20s"}}, schedule=work("zone/a1"))
    day.until(60.1)
    assert day.engine_instance("shop@a1/0").running
    assert not day.engine_instance("shop@a1/0").in_rotation
    day.until(90.0)
    assert not day.engine_instance("shop@a1/0").up, "down once it is idle"
    day.until(125.0)
    assert not day.engine_instance("shop@a1/0").in_rotation, "it boots first"
    day.until(140.0)
    assert day.engine_instance("shop@a1/0").running
    assert sum(day.seen().lost[0]) == 0
    assert day.times("maintenance.started") == [60.0]
    assert day.times("maintenance.ended") == [120.0]


def test_a_process_that_is_never_idle_is_not_stopped():
    day = small(shop={"service_time": "constant 90s", "slots": 1000, "timeout": "200s"}, schedule=work("service/shop@a1"))
    day.until(119.0)
    assert day.engine_instance("shop@a1/0").up
    assert not day.engine_instance("shop@a1/0").in_rotation
    day.until(121.0)
    assert day.engine_instance("shop@a1/0").in_rotation
    assert day.seen().lost[0][Reason.CRASHED] == 0


def test_two_pieces_of_work_on_one_thing_must_both_be_over():
    maintenance = [
        {"what": str(n), "target": target, "at": at, "for": "60s"}
        for n, (target, at) in enumerate([("zone/a1", "60s"), ("service/shop@a1", "90s")])
    ]
    day = small(shop={"boot": "1s"}, schedule={"maintenance": maintenance})
    day.until(145.0)
    assert not day.unit("shop@a1/0").in_rotation
    assert not day.unit("shop@a1/0").serving
    day.until(170.0)
    assert day.unit("shop@a1/0").in_rotation
    assert day.unit("shop@a1/0").serving


def test_a_database_node_under_work_is_stopped_when_its_replicas_have_everything():
    shop = {"calls": [{"to": "database/orders", "operation": "write", "retries": {"attempts": 3, "backoff": "1s"}}]}
    promotion = {
        "mode": "automatic",
        "lease": "10s",
        "heartbeat": "2s",
        "promote": "1s",
        "route": "1s",
        "voters": ["a1", "b1", "a2"],
    }
    day = small(
        shop=shop,
        system={"databases": {"orders": {**ORDERS, "lag": "2s"}}},
        schedule=work("database/orders@a1", "120s"),
        policies={"databases": {"orders": promotion}},
    )
    day.until(300.0)
    for cluster in day.world.clusters.values():
        cluster.finish()
    assert day.world.clusters["orders"].primary == "b1"
    assert day.events("writes.summary")[-1].data["lost"] == 0
    assert day.unit("database/orders@a1").serving
    assert day.unit("database/orders@a1").in_rotation


def test_a_node_that_is_dead_when_its_work_ends_is_called_again_once_it_lives():
    day = small(
        shop={"calls": [{"to": "provider/pay"}]},
        services={"side": SHOP},
        system={"providers": {"pay": {"service_time": "10ms"}}},
        schedule={**work("provider/pay"), "faults": []},
        faults=["outage provider/pay at 100s for 60s"],
    )
    day.until(200.0)
    assert day.unit("provider/pay").in_rotation
    assert day.good_between(165.0, 199.0) == 1.0
