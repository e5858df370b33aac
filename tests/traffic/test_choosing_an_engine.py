"""Which engine plays, what happens where numba is missing or nothing can be cached, and that the choice changes no byte."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

import sim
from gameday.scenario import read_scenario
from gameday.shipped import shipped_scenarios
from sim.streams import Streams
from sim.traffic import engines
from sim.traffic.changes import Change, SetEdge, SetFlow, SetInstance, SetLink, SetRateLimit, SetStation
from sim.traffic.engines import NoCompilerError, make_engine
from sim.traffic.plain import PlainEngine
from sim.traffic.plan import CLIENT, Plan
from sim.wiring import build
from tests.traffic.build import entry, flow, plan, station

SYSTEM = plan([station("s")], [entry()], [flow(10.0)])
SCENARIOS = sorted(shipped_scenarios().glob("*.yaml"))


def _without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("sim.traffic.compiled")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numba", None)


def test_without_numba_the_plain_engine_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda _: None)
    assert isinstance(make_engine(SYSTEM, Streams(1)), PlainEngine)


def test_a_numba_that_cannot_be_imported_is_said_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_numba(monkeypatch)
    monkeypatch.setattr(engines, "find_spec", lambda _: object())
    with pytest.warns(RuntimeWarning, match="the plain engine plays"):
        run = make_engine(SYSTEM, Streams(1))
    assert isinstance(run, PlainEngine)


def test_asking_for_the_compiled_engine_without_numba_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    _without_numba(monkeypatch)
    with pytest.raises(NoCompilerError, match="pip install numba"):
        make_engine(SYSTEM, Streams(1), "compiled")


def test_the_record_of_a_day_is_the_same_to_the_byte() -> None:
    pytest.importorskip("numba")
    scenario = read_scenario(next(path for path in SCENARIOS if path.stem == "primary-loss"))
    plain, compiled = (sim.run(scenario, 3, engine=kind) for kind in ("plain", "compiled"))  # type: ignore[arg-type]
    assert plain.timeline.to_bytes() == compiled.timeline.to_bytes()
    for ours, theirs in zip(plain.series, compiled.series, strict=True):
        assert (ours.name, ours.labels, ours.t.tolist()) == (theirs.name, theirs.labels, theirs.t.tolist())
        assert ours.values.tobytes() == theirs.values.tobytes()


def _any_change(system: Plan, chance: random.Random) -> Change:
    """Some fault or its end, drawn from the system at hand."""
    number = chance.randrange(len(system.stations))
    instance = chance.randrange(len(system.stations[number].instances))
    edge = chance.randrange(len(system.edges))
    zones = range(len(system.zones))
    enabled = None if system.edges[edge].caller == CLIENT else chance.random() < 0.7
    return chance.choice(
        [
            SetInstance(number, instance, up=chance.random() < 0.6),
            SetInstance(number, instance, frozen=chance.random() < 0.4),
            SetInstance(number, instance, slowdown=chance.choice([1.0, 4.0]), error_ratio=chance.choice([0.0, 0.2])),
            SetStation(number, commit_delay_s=chance.choice([0.0, 0.05]), commit_blocked=chance.random() < 0.3),
            SetLink(chance.choice(zones), chance.choice(zones), 0.02, chance.choice([0.0, 0.1]), chance.random() < 0.3),
            SetEdge(edge, enabled=enabled, dns_failed_ratio=chance.choice([0.0, 0.3]), cut=chance.random() < 0.2),
            SetFlow(chance.randrange(len(system.flows)), chance.choice([0.5, 1.0, 2.0])),
            SetRateLimit(chance.randrange(len(system.classes)), chance.choice([None, 50.0]), 20.0),
        ]
    )


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_ten_minutes_of_every_shipped_system_are_the_same_under_faults(path: Path) -> None:
    pytest.importorskip("numba")
    from tests.traffic.test_twins import told

    system = build(read_scenario(path)).plan
    chance = random.Random(path.stem)
    twins = [make_engine(system, Streams(2), kind) for kind in ("plain", "compiled")]  # type: ignore[arg-type]
    for step in range(1, 41):
        change = _any_change(system, chance)
        for run in twins:
            run.advance(step * 15.0)
            run.apply(change)
        plain, compiled = (told(run, system) for run in twins)
        assert plain == compiled
