"""Quiet stretches are jumped over: only where nothing happens, without a count that does not add up, and without moving what is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats  # type: ignore[import-untyped]

from sim.streams import Streams
from sim.traffic import Observation
from sim.traffic.changes import DropWrites, SetFlow, SetInstance, SetStation
from sim.traffic.engines import make_engine
from sim.traffic.plan import BreakerPlan, BurstPlan, Plan, Reason, RetryPlan
from sim.traffic.quiet import QuietEngine
from sim.traffic.quiet.library import LEAST_S, Library
from sim.traffic.quiet.regime import memory_s
from sim.traffic.quiet.tally import Columns, Second
from sim.traffic.watching import Stop, Watch
from tests.traffic import build
from tests.traffic.build import call, entry, exponential, flow, plan, station
from tests.traffic.quiet_systems import quiet, system, until
from tests.traffic.test_twins import EXAMPLES, TWINS, Script, days, told

LATE = int(Reason.LATE)


def jumps(run: QuietEngine, end: float) -> list[tuple[float, float]]:
    """Play second by second; the intervals in which the engine stood still."""
    found: list[list[float]] = []
    while run.now < end:
        before = run.jumped_s
        run.advance(run.now + 1.0)
        if run.jumped_s > before:
            if found and found[-1][1] == run.now - 1.0:
                found[-1][1] = run.now
            else:
                found.append([run.now - 1.0, run.now])
    return [(begin, over) for begin, over in found]


def adds_up(seen: Observation, *, whole: bool) -> None:
    for number, offered in enumerate(seen.offered):
        lost = sum(seen.lost[number])
        assert offered >= seen.good[number] + lost
        assert sum(seen.latency[number]) == seen.good[number] + seen.lost[number][LATE]
        assert sum(map(sum, seen.entered[number].values())) == seen.good[number] + lost
    for number, arrived in enumerate(seen.arrived):
        ended = seen.completed[number] + seen.failed[number]
        assert arrived >= ended
        assert arrived >= sum(seen.refused_by[number]) + sum(seen.admitted_by[number])
        if whole:
            assert arrived == ended + seen.busy[number] + seen.queued[number]
        assert seen.writes_attempted[number] >= seen.writes_acknowledged[number] + seen.writes_indeterminate[number]


def counts(seen: Observation) -> np.ndarray[Any, Any]:
    rows = asdict(seen)
    numbers = [*rows["offered"], *rows["good"], *np.ravel(rows["lost"]), *np.ravel(rows["latency"])]
    for name in ("arrived", "completed", "failed", "busy_s", "reads", "writes_attempted", "attempts", "hits", "misses"):
        numbers += rows[name]
    return np.array(numbers)


# -- nothing is jumped over where anything happens ---------------------------------------------------------------------


@settings(TWINS, max_examples=max(40, EXAMPLES // 8))
@given(days())
def test_an_engine_that_never_jumps_is_the_other_to_the_bit(day: tuple[Plan, int, Script]) -> None:
    what, seed, script = day
    exact, run = make_engine(what, Streams(seed), build.kind), quiet(what, lambda now: now, seed)
    for step, change in [*script, (1.3, None)]:
        for each in (exact, run):
            each.advance(each.now + step)
            if change is not None:
                each.apply(change)
        assert told(run, what) == told(exact, what)


def test_rates_that_change_are_followed_to_the_bit() -> None:
    table = ((0.0, 30.0), (2.0, 0.0), (3.5, 80.0), (3.7, 10.0))
    what = plan([station("s", exponential(0.01), slots=2)], [entry()], [flow(table=table)])
    exact, run = make_engine(what, Streams(3), build.kind), quiet(what, lambda now: now, 3)
    for at in (0.4, 1.0, 2.0, 3.6, 6.0):
        for each in (exact, run):
            each.advance(at)
            each.apply(SetFlow(0, 1.5 if at < 2.0 else 0.7))
        assert told(run, what) == told(exact, what)


@pytest.mark.parametrize("event_s", [400.0, 400.5])
def test_all_is_played_for_a_warm_up_before_what_is_foreseen_and_while_it_lasts(event_s: float) -> None:
    what = system()

    def foresee(now: float) -> float:
        if now < event_s:
            return event_s
        return now if now < event_s + 60.0 else inf

    run = quiet(what, foresee)
    stood = jumps(run, 700.0)
    assert len(stood) == 2
    assert stood[0][0] >= memory_s(what) + LEAST_S
    assert event_s - 60.0 < stood[0][1] <= event_s - memory_s(what), "a warm-up before it happens"
    assert stood[1][0] >= event_s + 60.0 + memory_s(what), "time to settle after it is over"


def test_what_comes_nearer_than_was_foreseen_ends_the_jump_at_once() -> None:
    horizon = [1000.0]
    run = quiet(system(), lambda _: horizon[0])
    jumps(run, 200.0)
    assert run.jumping
    horizon[0] = 260.0
    assert 240.0 < jumps(run, 260.0)[-1][1] <= 250.0
    run = quiet(system(), lambda _: horizon[0])
    horizon[0] = 1000.0
    jumps(run, 200.0)
    horizon[0] = 203.0
    run.advance(201.0)
    assert not run.jumping


def test_a_change_that_nobody_foresaw_is_made_in_an_engine_that_plays() -> None:
    run = quiet(system())
    run.advance(200.3)
    assert run.jumping
    before = counts(run.observe())
    run.apply(SetInstance(0, 0, up=False))
    assert not run.jumping
    assert (counts(run.observe())[: 2 * 2] >= before[: 2 * 2]).all()
    run.advance(230.0)
    seen = run.observe()
    adds_up(seen, whole=True)
    assert sum(seen.lost[0]) > 1000, "it is down from the instant on at which it was killed"
    assert not run.jumping, "nothing is quiet while it is down"


def test_settings_that_were_put_back_are_known_again() -> None:
    run = quiet(system())
    jumps(run, 200.0)
    run.apply(SetStation(0, slowdown=1.5))
    run.advance(205.0)
    run.apply(SetStation(0, slowdown=1.0))
    again = jumps(run, 300.0)
    assert again[0][0] < 205.0 + memory_s(system()) + LEAST_S, "sooner than what has to be learned first"


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(system(error_ratio=0.003), id="a failure now and then"),
        pytest.param(system(150.0, queue_limit=10**6), id="a queue that grows"),
        pytest.param(
            replace(
                system(), flows=(*system().flows[:1], replace(system().flows[1], burst=BurstPlan("b", 5.0, 50.0, 60.0, 10.0)))
            ),
            id="bursts",
        ),
        pytest.param(plan([station("s", 0.01, slots=2)], [entry()], [flow(20.0)]), id="nobody ever gives up"),
        pytest.param(replace(system(), flows=(*system().flows[:1], flow(0.05, name="g", entry=1))), id="hardly a request"),
        pytest.param(
            replace(
                system(), flows=(system().flows[0], flow(table=tuple((5.0 * n, 20.0 + n) for n in range(80)), name="g", entry=1))
            ),
            id="rates that change all the time",
        ),
    ],
)
def test_when_in_doubt_all_is_played(what: Plan) -> None:
    run = quiet(what)
    assert jumps(run, 400.0) == []


@pytest.mark.parametrize(
    ("queue", "calm"),
    [
        pytest.param(lambda t, draw: draw.poisson(5.0), True, id="independent seconds"),
        pytest.param(lambda t, draw: draw.poisson(5.0 + t / 8.0), False, id="a queue that grows"),
        pytest.param(lambda t, draw: draw.poisson(15.0 if t % 40 < 20 else 2.0), False, id="long waves"),
    ],
)
def test_what_drifts_or_depends_on_itself_for_long_is_not_stationary(queue: Callable[..., int], *, calm: bool) -> None:
    what = system()
    library, width = Library(Columns(what)), Columns(what).width
    for seed in range(20):
        draw = np.random.default_rng(seed)
        run = [Second(np.zeros(width, dtype=np.int64), np.zeros(2), (0, 0), (int(queue(t, draw)), 0)) for t in range(LEAST_S + 1)]
        assert library.admits(run) is calm, seed
        assert not library.admits(run[:-1]), "too short to tell"


def test_failures_that_are_part_of_the_statistics_are_drawn_with_the_rest() -> None:
    what = system(error_ratio=0.08)
    run = quiet(what)
    assert jumps(run, 400.0)
    seen = run.observe()
    adds_up(seen, whole=True)
    share = seen.lost[0][Reason.ERROR] / seen.offered[0]
    assert stats.binomtest(seen.lost[0][Reason.ERROR], seen.offered[0], 0.08).pvalue > 1e-4, share


def test_while_anything_is_watched_all_is_played() -> None:
    run = quiet(system())
    run.watch(Watch("lost", -1, at_least=1.0))
    assert jumps(run, 300.0) == []
    other = quiet(system())
    other.advance(200.0)
    assert other.jumping
    other.watch(Watch("queued", 1, at_least=1.0))
    assert not other.jumping
    assert other.advance(2000.0) is Stop.WATCH
    assert other.observe().queued[1] == 1
    assert 200.0 < other.now < 2000.0


# -- what is shown adds up ---------------------------------------------------------------------------------------------


def test_what_is_shown_adds_up_and_never_goes_back() -> None:
    draws = np.random.default_rng(5)
    for rate in (2.5, 40.0):
        run = quiet(system(rate), until(900.0))
        before = counts(run.observe())
        stood = 0
        while run.now < 900.0:
            run.advance(min(900.0, float(run.now + draws.choice([0.25, 0.6, 1.0]))))
            seen = run.observe()
            stood += run.jumping
            adds_up(seen, whole=run.now % 1.0 == 0.0)
            after = counts(seen)
            assert (after >= before).all()
            before = after
        assert stood > 300


def test_jumps_that_end_anywhere_leave_counts_that_add_up() -> None:
    draws = np.random.default_rng(6)
    run = quiet(system(8.0))
    before = counts(run.observe())
    left = 0
    for _ in range(12):
        run.advance(run.now + 150.0 + float(draws.uniform(0.0, 30.0)))
        left += run.jumping
        run.apply(SetFlow(0, 1.0))  # nothing is changed by it, but who knows
        adds_up(run.observe(), whole=False)
        run.advance(float(np.ceil(run.now)))
        adds_up(run.observe(), whole=True)
        after = counts(run.observe())
        assert (after >= before).all()
        before = after
    assert left >= 8


def test_what_the_engine_holds_is_not_touched_by_a_jump() -> None:
    """All counts at the end of a jump minus what was shown are those of an engine that played only so long."""
    what = system()
    run, exact = quiet(what, until(400.0)), make_engine(what, Streams(1), build.kind)
    stood = jumps(run, 410.0)
    played = 410.0 - sum(end - begin for begin, end in stood)
    exact.advance(played)
    assert [run.instance_busy(station, 0) for station in (0, 1)] == [exact.instance_busy(station, 0) for station in (0, 1)]
    assert run.observe().queued == exact.observe().queued


def test_writes_traces_and_notes_bear_our_times() -> None:
    what = system()
    what = replace(what, edges=(*what.edges[:2], replace(what.edges[2], breaker=BreakerPlan(10, 9.0)), *what.edges[3:]))
    run = quiet(what, until(400.0), seed=3)
    run.trace(0, 1)
    run.trace(1, 1)
    while not run.jumping:
        run.advance(run.now + 1.0)
    assert run.observe().offered[0] > run.observe().good[0], "somebody is under way"
    stood = jumps(run, 398.0)
    log = run.write_log(1)
    assert list(log.committed_s) == sorted(log.committed_s)
    inside = [at for at in log.committed_s if any(begin < at <= end for begin, end in stood)]
    assert inside == []
    assert log.committed_s[-1] > 397.0
    run.apply(SetInstance(1, 0, up=False))
    run.advance(400.0)
    assert [note.kind for note in run.take_notes() if 398.0 <= note.t < 400.0] == ["breaker.opened"]
    dropped = log.base + len(log.committed_s) - 3
    run.apply(DropWrites(1, dropped))
    assert run.write_log(1).base == dropped
    assert list(run.write_log(1).committed_s)[:3] == list(log.committed_s[-3:])
    marks = run.take_marks()
    assert [mark.t for mark in marks] == sorted(mark.t for mark in marks)
    began = {mark.root: mark.t for mark in reversed(marks)}
    for mark in marks:
        assert mark.t - began[mark.root] < 2.0, "no request takes as long as a jump"
    assert {mark.root for mark in marks if mark.t > stood[0][1]}


def test_the_memory_of_a_system_is_the_longest_it_lets_anybody_wait() -> None:
    what = plan(
        [station("a", 0.01, calls=(1,)), station("b", 0.01)],
        [entry(timeout_s=3.0, retry=RetryPlan(2, 0.5, 0.8)), call(0, 1, timeout_s=4.0, retry=RetryPlan(1, 0.1))],
        [flow(1.0)],
    )
    assert memory_s(what) == pytest.approx(3 * 3.0 + 0.5 + 0.8 + 2 * 4.0 + 0.1)
    assert memory_s(plan([station("s", 0.01)], [entry(timeout_s=1.0)], [flow(1.0)])) == 10.0
