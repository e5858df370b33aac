"""Quiet stretches are the same in both engines and after going back, and what is shown is distributed as what is played."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from sim.streams import Streams
from sim.traffic.changes import SetFlow
from sim.traffic.plan import RetryPlan
from sim.traffic.quiet import QuietEngine, make_quiet_engine
from tests.traffic import build
from tests.traffic.quiet_systems import quiet, system, until
from tests.traffic.test_twins import told

# -- the same in both engines, and again -------------------------------------------------------------------------------


def test_both_engines_jump_alike_to_the_bit(engine_kind: None) -> None:
    if build.kind == "plain":
        pytest.skip("compared once")
    what = system(20.0)
    runs = []
    for kind in ("plain", "compiled"):
        run = make_quiet_engine(what, Streams(4), kind)  # type: ignore[arg-type]
        run.foresee = until(600.0)
        runs.append(run)
    for at in (90.5, 150.0, 151.25, 333.0, 600.0):
        for run in runs:
            run.advance(at)
        first, second = (told(run, what) for run in runs)
        assert first == second
        assert runs[0].jumped_s == runs[1].jumped_s
    assert runs[0].jumped_s > 300.0


@pytest.mark.parametrize("here", [60.0, 95.5, 250.0, 255.5, 480.0])
def test_after_going_back_the_same_calls_give_the_same_numbers(here: float) -> None:
    what = system(20.0)

    def future(run: QuietEngine) -> list[Any]:
        told_then = []
        for at in (500.0, 505.5, 800.0):
            run.advance(at)
            told_then.append((told(run, what), run.jumped_s))
            run.apply(SetFlow(0, 1.0 + at / 1000.0))
        return told_then

    run = quiet(what, until(5000.0))
    run.advance(here)
    past = run.snapshot()
    first = future(run)
    run.restore(past)
    assert future(run) == first
    other = quiet(what, until(5000.0), seed=1)
    other.restore(past)
    assert future(other) == first
    assert first[-1][1] > 100.0


# -- and is distributed as what is played ------------------------------------------------------------------------------


def test_seconds_that_are_shown_are_distributed_as_those_that_are_played() -> None:
    """Requests offered, answers, retries, work, queue and latency of the same ten minutes over many days, drawn and played."""
    what = replace(system(20.0), edges=tuple(replace(edge, retry=RetryPlan(1, 0.1)) for edge in system().edges))
    if build.kind == "plain":
        pytest.skip("one engine says it for both")
    found: dict[bool, list[list[float]]] = {True: [], False: []}
    for jumping, rows in found.items():
        for seed in range(40):
            run = make_quiet_engine(what, Streams(seed + 1000 * jumping), build.kind)
            run.foresee = (lambda _: inf) if jumping else (lambda now: now)
            run.advance(100.0)
            first = run.observe()
            begin = [first.offered[0], first.good[1], first.busy_s[0], first.reads[1], first.hits[3], np.array(first.latency[0])]
            queued = []
            for at in range(101, 701):
                run.advance(float(at))
                queued.append(run.observe().busy[0])
            last = run.observe()
            end = [last.offered[0], last.good[1], last.busy_s[0], last.reads[1], last.hits[3], np.array(last.latency[0])]
            row = [float(after - before) for before, after in zip(begin[:-1], end[:-1], strict=True)]
            spread = (end[-1] - begin[-1]).cumsum()
            rows.append([*row, float(np.searchsorted(spread, 0.95 * spread[-1])), float(np.mean(queued))])
            assert (run.jumped_s > 400.0) is jumping
    names = ["offered", "good", "work", "reads", "hits", "p95", "busy"]
    shown, played = np.array(found[True]), np.array(found[False])
    chances = {name: stats.ttest_ind(shown[:, n], played[:, n], equal_var=False).pvalue for n, name in enumerate(names)}
    assert min(chances.values()) > 0.001, chances
    wider = shown[:, 0].std() / played[:, 0].std()
    assert 0.6 < wider < 1.6, "requests offered are neither steadier nor wilder"
