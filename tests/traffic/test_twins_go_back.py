"""Both engines can go back to a snapshot, and from there the future is the same to the bit, or another one if other things are done."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.streams import Streams
from sim.traffic import Engine
from sim.traffic.changes import AddInstance, Change, SetFlow, SetInstance
from sim.traffic.copying import copied
from sim.traffic.plain import PlainEngine
from sim.traffic.plan import InstancePlan, Plan
from sim.traffic.state import Timers
from tests.traffic.build import burst, call, crowd, entry, exponential, flow, plan, station
from tests.traffic.test_twins import EXAMPLES, TWINS, Script, database_days, days, told

pytest.importorskip("numba")
from sim.traffic.compiled import CompiledEngine


def _play(run: Engine, system: Plan, script: Script) -> list[dict[str, Any]]:
    seen = []
    run.trace(0, 1 + len(script) % 3)
    for step, change in [*script, (0.4, None)]:
        run.advance(run.now + step)
        if change is not None:
            run.apply(change)
        seen.append(told(run, system))
    return seen


@settings(TWINS, max_examples=max(60, EXAMPLES // 4))
@given(st.one_of(days(), database_days()), st.integers(0, 30), st.booleans())
def test_after_going_back_the_same_calls_give_the_same_numbers(day: tuple[Plan, int, Script], cut: int, anew: bool) -> None:
    system, seed, script = day
    futures = []
    for make in (PlainEngine, CompiledEngine):
        run = make(system, Streams(seed))
        _play(run, system, script[:cut])
        here = run.snapshot()
        first = _play(run, system, script[cut:])
        other = make(system, Streams(seed)) if anew else run
        other.restore(here)
        assert _play(other, system, script[cut:]) == first
        other.restore(here)  # a snapshot is not used up
        assert _play(other, system, script[cut:]) == first
        futures.append(first)
    assert futures[0] == futures[1]


@pytest.mark.parametrize("make", [PlainEngine, CompiledEngine])
def test_one_past_has_many_futures(make: type[PlainEngine]) -> None:
    system = plan([station("s", exponential(0.01), slots=2)], [entry(timeout_s=0.2)], [flow(100.0)])
    run = make(system, Streams(3))
    run.advance(5.0)
    here = run.snapshot()
    run.apply(SetInstance(0, 0, up=False))
    run.advance(10.0)
    worse = sum(run.observe().lost[0])
    run.restore(here)
    assert run.now == 5.0
    run.advance(10.0)
    assert sum(run.observe().lost[0]) < worse / 10


@pytest.mark.parametrize("make", [PlainEngine, CompiledEngine])
def test_what_has_grown_since_a_snapshot_is_gone_after_going_back(make: type[PlainEngine]) -> None:
    """The restored engine plays as one that never grew: blocks it takes again are empty."""
    system = plan([station("s", 30.0, slots=5000, keeps_writes=True)], [entry(timeout_s=60.0, operation="write")], [flow(400.0)])
    run, other = make(system, Streams(1)), make(system, Streams(1))
    here = run.snapshot()
    run.advance(40.0)
    run.restore(here)
    changes: list[tuple[float, Change | None]] = [
        (1.0, AddInstance(0, InstancePlan("new", 0, 9, 9))),
        (20.0, SetFlow(0, 3.0)),
        (30.0, None),
    ]
    assert _play(run, system, changes) == _play(other, system, changes)


def test_a_snapshot_of_the_other_engine_or_of_another_plan_is_refused() -> None:
    system, other = (plan([station("s", slots=n)], [entry()], [flow(1.0)]) for n in (1, 2))
    plain, compiled = PlainEngine(system, Streams(1)), CompiledEngine(system, Streams(1))
    with pytest.raises(ValueError, match="the compiled engine cannot be restored in the plain one"):
        plain.restore(compiled.snapshot())
    with pytest.raises(ValueError, match="another plan"):
        CompiledEngine(other, Streams(1)).restore(compiled.snapshot())


def test_a_long_queue_is_copied_without_recursion() -> None:
    deep = plan([station("s", 9.0, calls=(1,)), station("t", 9.0)], [entry(), call(0, 1)], [crowd(5000)])
    run = burst(deep)
    run.restore(run.snapshot())
    assert run.observe().queued[0] == 4999


def test_copies_keep_who_refers_to_whom_and_where_generators_stand() -> None:
    shared = [1, 2]
    timers = Timers()
    timers.waiting.append(timers)  # type: ignore[arg-type]
    generator = np.random.default_rng(5)
    generator.random(3)
    first, second, timer, draw = copied((shared, shared, timers, generator.random))
    assert first is second
    assert first is not shared
    assert timer.waiting == deque([timer])
    assert draw(4).tolist() == generator.random(4).tolist()
    with pytest.raises(TypeError, match=r"itertools\.count"):
        copied([__import__("itertools").count()])
