"""A scenario becomes an engine plan: where everything stands, how far apart, who calls whom and how often."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.traffic.plan import (
    CLIENT,
    BreakerPlan,
    BurstPlan,
    CachePlan,
    CoDelPlan,
    LimiterPlan,
    OutlierPlan,
    PoolPlan,
    RetryPlan,
    WindowPlan,
)
from sim.wiring import apportion, build
from tests.simulator.small import BUY, ORDERS, scenario


def wiring(**parts):
    return build(scenario(**parts))


def rtt(wired, one, other):
    return wired.plan.rtt_s[wired.zones[one]][wired.zones[other]]


def edge(wired, name):
    return next(each for each in wired.plan.edges if each.name == name)


def names(wired, options):
    return [(wired.plan.stations[station].name, weight) for station, weight in options]


def calls(*dependencies):
    return {"shop": {"calls": list(dependencies)}}


BACK = {"instances": 1, "slots": 2, "service_time": "constant 5ms", "timeout": "700ms"}


def test_round_trips_are_those_of_the_network_section():
    network = {
        "same_zone": "1ms",
        "same_region": "2ms",
        "cross_region": "30ms",
        "links": [{"between": ["c", "a"], "rtt": "50ms"}],
    }
    regions = {"a": {"zones": ["a1", "a2"]}, "b": {"zones": ["b1"]}, "c": {"zones": ["c1"]}}
    wired = wiring(system={"network": network, "regions": regions})
    assert rtt(wired, "a1", "a1") == 0.001
    assert rtt(wired, "a1", "a2") == 0.002
    assert rtt(wired, "a1", "b1") == rtt(wired, "b1", "a2") == 0.030
    assert rtt(wired, "a2", "c1") == rtt(wired, "c1", "a2") == 0.050, "a link's own round trip counts both ways"


def test_clients_are_as_near_as_their_entry_and_providers_as_far_as_they_say():
    wired = wiring(system={"providers": {"pay": {"service_time": "10ms", "rtt": "25ms"}}})
    assert rtt(wired, "internet/everyone", "b1") == 0.0
    assert rtt(wired, "a1", "provider/pay") == rtt(wired, "b1", "provider/pay") == 0.025


def test_a_regions_managed_queue_is_a_neighbour_of_its_zones_and_far_from_other_regions():
    wired = wiring(system={"network": {"same_region": "2ms", "cross_region": "30ms"}})
    assert rtt(wired, "a2", "region/a") == rtt(wired, "region/a", "a1") == 0.002
    assert rtt(wired, "b1", "region/a") == rtt(wired, "region/a", "region/b") == 0.030


def test_every_round_trip_is_the_same_in_both_directions():
    table = wiring(system={"providers": {"pay": {"service_time": "10ms"}}}).plan.rtt_s
    assert all(table[a][b] == table[b][a] for a in range(len(table)) for b in range(len(table)))


@pytest.mark.parametrize(
    ("instances", "expected"),
    [
        (2, {"a1": 2, "a2": 2, "b1": 2}),
        ({"a": 1, "b1": 3}, {"a1": 1, "a2": 1, "b1": 3}),
        ({"a": 2, "a2": 0}, {"a1": 2}),
    ],
)
def test_instances_are_counted_per_zone_and_a_zone_wins_over_its_region(instances, expected):
    wired = wiring(shop={"instances": instances})
    found = {}
    for station in wired.services["shop"].values():
        for instance in wired.plan.stations[station].instances:
            zone = wired.plan.zones[instance.zone]
            found[zone] = found.get(zone, 0) + 1
            assert instance.name.startswith(f"shop@{zone}/")
    assert found == expected


def test_a_region_without_instances_has_no_station():
    assert set(wiring(shop={"instances": {"a": 1}}).services["shop"]) == {"a"}


def test_a_call_stays_in_its_region_where_it_can_and_else_goes_to_the_first_that_can():
    shop = {"calls": [{"to": "here"}, {"to": "far"}]}
    wired = wiring(shop=shop, services={"here": BACK, "far": {**BACK, "instances": {"b1": 1}}})
    assert names(wired, edge(wired, "shop@a -> here").options) == [("here@a", 1.0)]
    assert names(wired, edge(wired, "shop@b -> here").options) == [("here@b", 1.0)]
    assert names(wired, edge(wired, "shop@a -> far").options) == [("far@b", 1.0)]


def test_reads_go_to_the_nearest_copy_only_where_they_may_and_writes_to_the_primary():
    reads = {"to": "database/orders", "operation": "read", "read_from": "nearest"}
    shop = {"calls": [reads, {**reads, "read_from": "primary"}, {"to": "database/orders", "operation": "write"}]}
    wired = wiring(shop=shop, system={"databases": {"orders": ORDERS}})
    assert names(wired, edge(wired, "shop@b -> database/orders (read)").options) == [("database/orders@b1", 1.0)]
    assert names(wired, edge(wired, "shop@b -> database/orders (read) #2").options) == [("database/orders@a1", 1.0)]
    assert names(wired, edge(wired, "shop@b -> database/orders (write)").options) == [("database/orders@a1", 1.0)]


def test_a_nearest_read_without_a_copy_in_the_region_goes_to_the_primary():
    shop = {"calls": [{"to": "database/orders", "operation": "read", "read_from": "nearest"}]}
    wired = wiring(shop=shop, system={"databases": {"orders": {**ORDERS, "replicas": ["a2"]}}})
    assert names(wired, edge(wired, "shop@b -> database/orders (read)").options) == [("database/orders@a1", 1.0)]


def test_only_the_first_primary_takes_writes():
    wired = wiring(system={"databases": {"orders": ORDERS}})
    stations = {zone: wired.plan.stations[station] for zone, station in wired.nodes["orders"].items()}
    assert {zone: station.read_only for zone, station in stations.items()} == {"a1": False, "b1": True}
    assert all(station.keeps_writes for station in stations.values())


def test_a_fallback_is_an_edge_of_its_own_that_no_station_calls():
    wired = wiring(shop={"calls": [{"to": "back", "fallback": "spare"}]}, services={"back": BACK, "spare": BACK})
    main = edge(wired, "shop@a -> back")
    assert main.fallback is not None
    assert wired.plan.edges[main.fallback].name == "shop@a -> spare"
    assert wired.edges[main.fallback].target == "service/spare"
    assert all(main.fallback not in station.calls for station in wired.plan.stations)


def test_a_calls_policies_reach_the_plan():
    dependency = {
        "to": "back",
        "required": False,
        "mode": "async",
        "calls": 0.3,
        "retries": {"attempts": 2, "backoff": "40ms", "backoff_cap": "1s", "budget": "20%"},
        "breaker": {"failures": 7, "open": "9s", "trials": 3},
        "cancel": "queued",
        "for": ["look"],
    }
    wired = wiring(shop={"calls": [dependency]}, services={"back": BACK}, classes={"buy": BUY, "look": {**BUY, "rate": "1/s"}})
    found = edge(wired, "shop@a -> back")
    assert (found.required, found.asynchronous, found.calls_mean, found.cancel) == (False, True, 0.3, "queued")
    assert (found.retry.retries, found.retry.backoff_s, found.retry.backoff_cap_s, found.retry.budget_ratio) == (
        2,
        0.04,
        1.0,
        0.2,
    )
    assert found.breaker is not None
    assert (found.breaker.failures, found.breaker.open_s, found.breaker.trials) == (7, 9.0, 3)
    assert found.classes == frozenset({1})
    assert found.timeout_s == 0.7, "without a timeout of its own a call waits as long as its target says"


def test_queues_call_their_consumer_in_every_region_it_runs_in():
    queues = {"mail": {"consumer": "back", "consumers": 3, "limit": 50}}
    wired = wiring(shop={"calls": [{"to": "queue/mail", "mode": "async"}]}, services={"back": BACK}, system={"queues": queues})
    assert set(wired.queues["mail"]) == {"a", "b"}
    broker = wired.plan.stations[wired.queues["mail"]["a"]]
    assert (broker.instances[0].slots, broker.instances[0].queue_limit) == (3, 50)
    assert [names(wired, wired.plan.edges[each].options) for each in broker.calls] == [[("back@a", 1.0)]]


def test_every_dependency_of_a_target_is_found():
    wired = wiring(shop={"calls": [{"to": "back"}]}, services={"back": BACK, "other": {**BACK, "calls": [{"to": "back"}]}})
    callers = {(wired.edges[each].caller, wired.edges[each].region) for each in wired.edges_to("service/back")}
    assert callers == {("shop", "a"), ("shop", "b"), ("other", "a"), ("other", "b")}


ORIGINS = {"origins": {"west": {"share": "75%", "region": "a"}, "east": {"share": "25%", "region": "b"}}}


def test_a_class_is_split_over_the_origins_and_enters_where_each_is_sent():
    wired = wiring(system={"traffic": ORIGINS})
    flows = {(name, origin): wired.plan.flows[flow] for (name, origin), flow in wired.flows.items()}
    assert {key: flow.rate[0][1] for key, flow in flows.items()} == {("buy", "west"): 15.0, ("buy", "east"): 5.0}
    assert wired.plan.zones[flows["buy", "west"].origin] == "internet/west"
    entries = {origin: wired.plan.edges[entry] for (_, origin), entry in wired.entries.items()}
    assert all(each.caller == CLIENT for each in entries.values())
    assert names(wired, entries["west"].options) == [("shop@a", 1.0)]
    assert names(wired, entries["east"].options) == [("shop@b", 1.0)]


def test_a_class_with_shares_of_its_own_leaves_out_origins_without_any():
    wired = wiring(system={"traffic": ORIGINS}, classes={"buy": {**BUY, "origins": {"west": "0%", "east": "100%"}}})
    assert set(wired.flows) == {("buy", "east")}
    assert wired.plan.flows[0].rate[0][1] == 20.0


def test_users_of_a_closed_class_are_all_there_and_none_twice():
    closed = {"entry": "shop", "users": 10, "think": "1s"}
    wired = wiring(system={"traffic": ORIGINS}, classes={"buy": closed})
    assert {key[1]: wired.plan.flows[flow].users for key, flow in wired.flows.items()} == {"west": 8, "east": 2}
    alone = wiring(system={"traffic": ORIGINS}, classes={"buy": {**closed, "users": 1}})
    assert [flow.users for flow in alone.plan.flows] == [1]


@given(st.integers(0, 1000), st.lists(st.floats(0.001, 1.0), min_size=1, max_size=8))
def test_whole_people_sum_to_their_number_and_nobody_gets_more_than_one_beyond_the_share(users, weights):
    shares = {str(position): weight for position, weight in enumerate(weights)}
    found = apportion(users, shares)
    assert sum(found.values()) == users
    for origin, share in shares.items():
        assert abs(found[origin] - users * share / sum(weights)) < 1.0 + 1e-6


def test_shares_of_shedding_reach_only_the_services_that_shed():
    policies = {"shedding": {"enabled": True, "services": {"shop": {"normal": "70%", "best_effort": "20%"}}}}
    wired = wiring(services={"back": BACK}, policies=policies)
    assert wired.plan.stations[wired.services["shop"]["b"]].admit == (1.0, 0.7, 0.2)
    assert wired.plan.stations[wired.services["back"]["b"]].admit == (1.0, 1.0, 1.0)
    policies["shedding"]["enabled"] = False
    off = wiring(services={"back": BACK}, policies=policies)
    assert off.plan.stations[off.services["shop"]["b"]].admit == (1.0, 1.0, 1.0)


def test_priorities_and_deadlines_reach_the_classes_of_the_plan():
    wired = wiring(classes={"buy": BUY, "look": {**BUY, "priority": "best_effort", "deadline": "900ms"}})
    assert [(each.name, each.priority, each.deadline_s) for each in wired.plan.classes] == [("buy", 0, 2.0), ("look", 2, 0.9)]


def test_queue_policies_reach_the_stations():
    shop = {"queue_order": "adaptive_lifo", "lifo_above": 3, "codel": {"target": "7ms"}, "drop_expired": True}
    station = wiring(shop=shop).plan.stations[0]
    assert (station.queue_order, station.lifo_above, station.drop_expired) == ("adaptive_lifo", 3, True)
    assert station.codel == CoDelPlan(0.007, 0.1)
    plain = wiring().plan.stations[0]
    assert (plain.lifo_above, plain.codel, plain.drop_expired) == (10, None, False)


def test_a_limiter_reaches_the_stations():
    shop = {"limiter": {"adaptive": True, "limit": 30, "most": 90, "best_effort": "50%"}}
    assert wiring(shop=shop).plan.stations[0].limiter == LimiterPlan(30.0, True, 20.0, 90.0, 1.0, (1.0, 1.0, 0.5))
    assert wiring(shop={"limiter": {"limit": 64}}).plan.stations[0].limiter == LimiterPlan(64.0)


def test_bursts_reach_every_origin_with_its_share_and_the_same_stream():
    bursty = {"shape": "bursty", "calm": "10/s", "burst": "100/s", "calm_for": "30s", "burst_for": "5s"}
    origins = {"near": {"share": "75%", "region": "a"}, "far": {"share": "25%", "region": "b"}}
    wired = wiring(classes={"buy": {**BUY, "rate": ["8/s", bursty]}}, system={"traffic": {"origins": origins}})
    near, far = (wired.plan.flows[wired.flows["buy", name]] for name in ("near", "far"))
    assert near.rate == ((0.0, 6.0),)
    assert near.burst == BurstPlan("buy", 7.5, 75.0, 30.0, 5.0)
    assert far.burst == BurstPlan("buy", 2.5, 25.0, 30.0, 5.0)
    alone = wiring(classes={"buy": {**BUY, "rate": bursty}}).plan.flows[0]
    assert (alone.rate, alone.burst) == (((0.0, 0.0),), BurstPlan("buy", 10.0, 100.0, 30.0, 5.0))


def test_what_callers_do_reaches_edges_and_classes():
    call = {
        "to": "back",
        "bulkhead": 7,
        "cancel": "running",
        "hedge": "70ms",
        "pool": {"connections": 3},
        "breaker": {"failure_ratio": "30%", "window": 40, "minimum": 9, "open": "2s"},
    }
    wired = wiring(services={"back": BACK}, shop={"calls": [call]}, classes={"buy": {**BUY, "propagate_deadline": True}})
    assert wired.plan.edges[0].breaker == BreakerPlan(20, 2.0, 1, WindowPlan(0.3, 40, 9))
    assert (wired.plan.edges[0].bulkhead, wired.plan.edges[0].pool) == (7, PoolPlan(3, 30.0))
    assert (wired.plan.edges[0].cancel, wired.plan.edges[0].hedge_s) == ("running", 0.07)
    assert [each.propagates for each in wired.plan.classes] == [True]
    assert [each.propagates for each in wiring().plan.classes] == [False]


def test_outlier_ejection_and_panic_reach_the_stations():
    shop = {"balancing": "zone_aware", "outlier_ejection": {"failures": 3, "most": "40%"}, "panic_threshold": "50%"}
    station = wiring(shop=shop).plan.stations[0]
    assert (station.balancing, station.panic_ratio) == ("zone_aware", 0.5)
    assert station.outlier == OutlierPlan(3, 30.0, 300.0, 10.0, 0.4)
    assert wiring().plan.stations[0].outlier is None


def test_a_cache_stands_in_front_of_the_call_and_not_of_its_fallback():
    services = {"back": BACK, "spare": BACK}
    call = {"to": "back", "fallback": "spare", "cache": {"keys": 500, "capacity": 100, "ttl": "30s", "coalesce": True}}
    wired = wiring(shop={"calls": [call]}, services=services)
    assert edge(wired, "shop@a -> back").cache == CachePlan(500, 100, 30.0, 1.0, True)
    assert edge(wired, "shop@a -> spare").cache is None
    wired = wiring(shop={"calls": [{"to": "back", "cache": {"keys": 500}}]}, services=services)
    assert edge(wired, "shop@a -> back").cache == CachePlan(500, 500, inf, 1.0)


def test_a_queue_is_a_broker_that_delivers_as_often_as_it_is_told():
    queues = {"mail": {"consumer": "back", "consumers": 3, "redeliver": {"attempts": 5, "backoff": "1s"}}}
    wired = wiring(shop={"calls": [{"to": "queue/mail", "mode": "async"}]}, services={"back": BACK}, system={"queues": queues})
    broker = wired.plan.stations[wired.queues["mail"]["a"]]
    assert broker.broker
    assert edge(wired, "queue/mail@a -> back").retry == RetryPlan(5, 1.0, 5.0)
    queues["mail"].pop("redeliver")
    wired = wiring(shop={"calls": [{"to": "queue/mail", "mode": "async"}]}, services={"back": BACK}, system={"queues": queues})
    assert edge(wired, "queue/mail@a -> back").retry.retries == 2
