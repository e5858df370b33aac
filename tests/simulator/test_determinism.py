"""The same scenario, seed and replication give the same bytes, wherever they are played; other components move nobody's numbers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import sim
from gameday.replication import play
from gameday.scenario import read_scenario
from sim.streams import Streams
from tests.simulator.small import BUY, ORDERS, SHOP, begin, scenario, small

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "scenarios" / "primary-loss.yaml"
SHORT = ["duration=7m"]
PRINT_DIGESTS = """
import sys
from hashlib import sha256
from pathlib import Path
import sim
from gameday.scenario import read_scenario
recording = sim.run(read_scenario(Path(sys.argv[1]), sys.argv[3:]), 5, 1)
recording.series.write_csv(Path(sys.argv[2]))
print(recording.timeline.digest(), sha256(Path(sys.argv[2]).read_bytes()).hexdigest())
"""


def recorded(tmp_path, seed=5, replication=1):
    recording = sim.run(read_scenario(SHIPPED, SHORT), seed, replication)
    recording.series.write_csv(tmp_path / "series.csv")
    return recording.timeline.to_bytes(), (tmp_path / "series.csv").read_bytes()


def test_the_same_seed_gives_the_same_bytes_and_another_replication_or_seed_another_day(tmp_path):
    first = recorded(tmp_path)
    assert recorded(tmp_path) == first
    for other in (recorded(tmp_path, replication=2), recorded(tmp_path, seed=6)):
        assert other[0] != first[0]
        assert other[1] != first[1]


def test_two_processes_that_hash_differently_give_the_same_bytes(tmp_path):
    outputs = []
    for hash_seed in ("1", "77"):
        command = [sys.executable, "-c", PRINT_DIGESTS, str(SHIPPED), str(tmp_path / f"{hash_seed}.csv"), *SHORT]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        outputs.append(subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path, env=environment).stdout)
    assert outputs[0] == outputs[1]
    assert len(outputs[0].split()) == 2


def test_two_jobs_give_what_one_gives():
    chosen = read_scenario(SHIPPED, ["duration=6m"])
    one, two = ({each.replication: each for each in play(chosen, 3, 3, jobs)} for jobs in (1, 2))
    assert set(one) == set(two) == {0, 1, 2}
    for number, played in one.items():
        assert two[number].timeline == played.timeline
        assert two[number].scores == played.scores


# -- common random numbers --------------------------------------------------------------------------------------------------

CALLS = {"calls": [{"to": "side", "calls": 0.5}, {"to": "database/orders", "operation": "write"}]}
SIDE = {"side": {**SHOP, "service_time": "lognormal 30ms cv 1", "error_rate": "5%"}}
WORLD = {
    "shop": {**CALLS, "service_time": "exponential 40ms"},
    "services": SIDE,
    "system": {"databases": {"orders": {**ORDERS, "lag": "lognormal 300ms cv 1"}}},
    "schedule": {"background": [{"target": "service/shop", "mtbf": "2m", "mttr": "20s"}]},
    "duration": "4m",
}
OTHER = {**SHOP, "service_time": "exponential 15ms", "error_rate": "10%"}


def counts(day):
    """Everything counted about flows, stations and nodes, by name; and the events."""
    day.until(240.0)
    seen, wiring = day.seen(), day.world.wiring
    flows = {key: (seen.offered[flow], seen.good[flow], list(seen.lost[flow])) for key, flow in wiring.flows.items()}
    stations = {plan.name: (seen.arrived[n], seen.completed[n], seen.busy_s[n]) for n, plan in enumerate(wiring.plan.stations)}
    return flows, stations, [(event.t, event.kind, event.subject, event.data) for event in day.events("*")]


def with_an_unrelated_service(parts):
    return {**parts, "services": {"other": OTHER, **SIDE}}


def with_an_unrelated_class(parts):
    parts = with_an_unrelated_service(parts)
    return {**parts, "classes": {"look": {**BUY, "entry": "other", "rate": "7/s"}, "buy": BUY}}


def with_an_unrelated_database(parts):
    databases = {
        "audit": {**ORDERS, "primary": "b1", "replicas": ["a2"], "lag": "exponential 1s"},
        **parts["system"]["databases"],
    }
    return {**parts, "system": {"databases": databases}}


def with_an_unrelated_provider_and_queue(parts):
    parts = with_an_unrelated_service(parts)
    more = {"providers": {"mail": {"service_time": "exponential 1s"}}, "queues": {"post": {"consumer": "other"}}}
    return {**parts, "system": {**parts["system"], **more}}


def with_unrelated_background_failures(parts):
    parts = with_an_unrelated_service(parts)
    return {
        **parts,
        "schedule": {"background": [{"target": "service/other", "mtbf": "1m", "mttr": "5s"}, *parts["schedule"]["background"]]},
    }


@pytest.mark.parametrize(
    "grown",
    [
        with_an_unrelated_service,
        with_an_unrelated_class,
        with_an_unrelated_database,
        with_an_unrelated_provider_and_queue,
        with_unrelated_background_failures,
    ],
    ids=lambda grown: grown.__name__,
)
def test_what_is_added_moves_no_other_components_numbers(grown):
    flows, stations, events = counts(small(9, **WORLD))
    more_flows, more_stations, more_events = counts(small(9, **grown(WORLD)))
    assert {key: more_flows[key] for key in flows} == flows
    assert {name: more_stations[name] for name in stations} == stations
    assert [event for event in more_events if event in events] == events
    assert any(event[1] == "fault.injected" for event in events)


NEVER = {
    "degradation": {"policies": {"degradation": [{"disable": "shop -> side", "when": "side", "above": "100%"}]}},
    "rollback": {"policies": {"release": {"automatic_rollback": True}}},
    "region failover": {"policies": {"failover": {"mode": "automatic", "pairs": {"a": "b"}, "trigger": "20of20"}}},
    "promotion": {"policies": {"databases": {"orders": {"mode": "automatic", "lease": "10m", "heartbeat": "1m"}}}},
    "shedding": {"policies": {"shedding": {"enabled": True, "services": {"side": {"normal": "100%", "best_effort": "100%"}}}}},
    "autoscaling": {"shop": {**WORLD["shop"], "autoscaling": {"target": "100%", "max_per_zone": 1}}},
    "rate limit": {"system": {**WORLD["system"], "gateway": {"rate_limits": {"buy": {"rate": "9999/s", "burst": 999}}}}},
}


@pytest.mark.parametrize("policy", NEVER)
def test_a_policy_that_never_acts_changes_nothing_at_all(policy):
    plain, guarded = (begin(scenario(**{**WORLD, **more}), 9) for more in ({}, NEVER[policy]))
    results = []
    for day in (plain, guarded):
        day.until(240.0)
        results.append((day.world.recorder.timeline.to_bytes(), list(day.world.recorder.series())))
    assert results[0] == results[1]


def test_a_stream_depends_on_its_name_and_nothing_else():
    alone = Streams(1).draws("arrivals/buy")
    streams = Streams(1)
    streams.draws("something else").uniform()
    among = streams.draws("arrivals/buy")
    assert [alone.uniform() for _ in range(5)] == [among.uniform() for _ in range(5)]
    assert Streams(1, 1).draws("arrivals/buy").uniform() != Streams(1, 2).draws("arrivals/buy").uniform()
    assert Streams(1).draws("arrivals/buy").uniform() != Streams(1).draws("arrivals/look").uniform()


def test_drawing_one_kind_of_number_shifts_no_other_kind():
    mixed, pure = Streams(1).draws("x"), Streams(1).draws("x")
    for _ in range(2000):
        mixed.uniform()
        mixed.normal()
    assert mixed.exponential() == pure.exponential()
