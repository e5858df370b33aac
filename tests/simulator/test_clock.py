"""Waiting for the data plane: the control plane wakes at the instant a condition comes to hold, and nothing else changes."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict
from typing import Any

import pytest

from sim.clock import Clock
from sim.streams import Streams
from sim.traffic import Engine, Watch
from sim.traffic.changes import SetInstance
from sim.traffic.engines import make_engine
from tests.traffic.build import entry, exponential, flow, plan, station

SYSTEM = plan([station("s", exponential(0.02), slots=3, queue_limit=50)], [entry(timeout_s=0.5)], [flow(120.0)])


def _engine() -> Engine:
    return make_engine(SYSTEM, Streams(2), "plain")


def _ticks(clock: Clock, times: list[float]) -> Generator[Any, Any, None]:
    while True:
        yield clock.timeout(0.7)
        times.append(clock.now)


def test_a_process_wakes_when_the_queue_reaches_its_bound_and_acts_at_that_instant() -> None:
    """The same as stopping the engine there by hand, while other processes go on as without."""
    clock, engine, times, woken = Clock(), _engine(), [], []

    def guard() -> Generator[Any, Any, None]:
        yield clock.when(engine, Watch("queued", 0, at_least=16.0))
        woken.append(clock.now)
        assert engine.observe().queued == [16]
        engine.apply(SetInstance(0, 0, slots=6))

    clock.process(_ticks(clock, times))
    clock.process(guard())
    clock.run(until=60.0)
    engine.advance(60.0)
    other = _engine()
    other.watch(Watch("queued", 0, at_least=16.0))
    other.advance(60.0)
    assert woken == [pytest.approx(other.now, abs=1e-9)]
    assert 0.7 < woken[0] < 59.0
    other.apply(SetInstance(0, 0, slots=6))
    other.advance(60.0)
    assert asdict(other.observe()) == asdict(engine.observe())
    assert times == pytest.approx([0.7 * n for n in range(1, 86)])


def test_what_holds_already_wakes_at_once_and_what_never_holds_never() -> None:
    clock, engine, seen = Clock(), _engine(), []

    def waiting(name: str, condition: Watch) -> Generator[Any, Any, None]:
        yield clock.timeout(5.0)
        clock.bring(engine)
        yield clock.when(engine, condition)
        seen.append((name, clock.now))

    clock.process(waiting("now", Watch("queued", 0, at_least=0.0)))
    clock.process(waiting("never", Watch("lost", 0, at_least=1e9)))
    clock.run(until=20.0)
    assert seen == [("now", 5.0)]
    assert engine.now == 20.0, "it has gone ahead to the end of the run, not beyond"


def test_two_conditions_of_one_instant_wake_both_in_the_order_they_were_set() -> None:
    clock, engine, seen = Clock(), _engine(), []

    def waiting(name: str) -> Generator[Any, Any, None]:
        yield clock.when(engine, Watch("queued", 0, at_least=9.0))
        seen.append((name, clock.now))

    for name in ("a", "b"):
        clock.process(waiting(name))
    clock.run(until=60.0)
    assert [name for name, _ in seen] == ["a", "b"]
    assert seen[0][1] == seen[1][1]
