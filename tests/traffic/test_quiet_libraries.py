"""What is known of a system's calm seconds: what belongs to it, how much may be drawn from it, and what seconds were played for."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from sim.traffic.quiet.library import (
    BLOCK,
    CHECK_S,
    FAR_STRETCH,
    LEAST_REQUESTS,
    LEAST_S,
    MANY_REQUESTS,
    STRETCH,
    Library,
)
from sim.traffic.quiet.regime import memory_s
from sim.traffic.quiet.tally import Columns, Second
from sim.traffic.quiet.why import Why
from tests.traffic.build import flow
from tests.traffic.quiet_systems import quiet, system, until

COLUMNS = Columns(system())


def seconds(held: list[int], queued: list[int], offered: int = 40) -> list[Second]:
    """A run of which the first station holds and queues so much at the end of each second; what arrives is completed but for what is held."""
    rows = []
    for number, (inside, waiting) in enumerate(zip(held, queued, strict=True)):
        counts = np.zeros(COLUMNS.width, dtype=np.int64)
        counts[COLUMNS.offered][0] = counts[COLUMNS.good][0] = offered * number
        counts[COLUMNS.station["arrived"]][0] = offered * number + inside
        counts[COLUMNS.station["completed"]][0] = offered * number
        rows.append(Second(counts, np.zeros(COLUMNS.stations), (inside - waiting, 0), (waiting, 0)))
    return rows


def known() -> Library:
    """A minute in which the first station held six, give or take two, and nobody waited."""
    library = Library(COLUMNS)
    library.add(seconds([6 + (7 * number) % 5 - 2 for number in range(LEAST_S + 1)], [0] * (LEAST_S + 1)))
    return library


def usual(count: int) -> list[int]:
    return [6 + (3 * number) % 5 - 2 for number in range(count)]


@pytest.mark.parametrize(
    ("queued", "alike"),
    [
        pytest.param([0, 0, 4, 0, *[0] * 17], True, id="a queue for once that was not seen before"),
        pytest.param([3, 2] * 10 + [3], False, id="a queue that stays"),
        pytest.param([24, 19, 14, 9, 4, *[0] * 16], False, id="what drains at the beginning"),
        pytest.param([*[0] * 16, 4, 9, 14, 19, 24], False, id="what grows at the end"),
    ],
)
def test_a_queue_that_is_seldom_used_is_no_other_system_and_one_that_is_left_over_is(queued: list[int], *, alike: bool) -> None:
    held = [inside + waiting for inside, waiting in zip(usual(CHECK_S + 1), queued, strict=True)]
    assert known().admits(seconds(held, queued)) is alike


def test_a_run_goes_into_what_is_known_if_it_is_long_enough() -> None:
    run = seconds(usual(CHECK_S + 1), [0] * (CHECK_S + 1))
    assert known().admits(run)
    assert not known().admits(run[: BLOCK + 1])
    assert known().admits(run[: BLOCK + 1], BLOCK)


def test_twice_as_much_may_be_drawn_once_many_requests_were_played() -> None:
    library = known()
    assert library.allowance == STRETCH * LEAST_S
    library.drawn = 100
    assert library.allowance == STRETCH * LEAST_S - 100
    library.add(seconds(usual(3), [0] * 3, MANY_REQUESTS // 2))
    assert library.allowance == FAR_STRETCH * (LEAST_S + 2) - 100


def test_a_flow_that_brings_few_requests_is_waited_for_by_its_rate_and_not_by_its_luck() -> None:
    """Else every sample had a few more of them than usual: it would be taken as soon as enough have come."""
    rate = LEAST_REQUESTS / LEAST_S + 0.01
    what = replace(system(), flows=(system().flows[0], flow(rate, name="g", entry=1)))
    settled = memory_s(what) + LEAST_S
    brought = []
    for seed in range(12):
        run = quiet(what, seed=seed)
        run.advance(memory_s(what))
        before = run.observe().good[1]
        run.advance(settled)
        brought.append(run.observe().good[1] - before)
        run.advance(settled + 1.0)
        assert run.jumping
    assert min(brought) < LEAST_REQUESTS < max(brought)


@pytest.mark.parametrize("event_s", [400.0, 403.0, 403.5])
def test_a_jump_ends_at_the_last_second_that_leaves_more_than_a_warm_up(event_s: float) -> None:
    run = quiet(system(), until(event_s))
    left = 0.0
    while run.now < event_s:
        run.advance(min(event_s, run.now + 1.0))
        left = run.now if run.jumping else left
    assert left + 1.0 == np.ceil(event_s - memory_s(system()) - 1.0)


def test_it_says_what_its_exact_seconds_were_for() -> None:
    what = system()
    run = quiet(what, lambda now: 300.0 if now < 300.0 else now if now < 360.0 else 1700.0)
    run.advance(1600.0)
    assert sum(run.played_s.values()) == 1600.0 - run.jumped_s
    assert run.played_s[Why.GOES_ON] == 60
    assert run.played_s[Why.SAMPLED] == LEAST_S
    assert run.played_s[Why.COMPARED] == CHECK_S
    assert run.played_s[Why.SETTLES] == 2 * memory_s(what)
    assert memory_s(what) <= run.played_s[Why.WARMS_UP] <= memory_s(what) + 2
    assert run.played_s[Why.RATIONED] >= (run.jumped_s - STRETCH * (LEAST_S + CHECK_S)) / STRETCH - BLOCK


def test_no_more_is_shown_than_ten_seconds_for_each_that_was_played() -> None:
    run = quiet(system())
    for at in range(100, 3000, 50):
        run.advance(float(at))
        calm = sum(run.played_s[why] for why in (Why.SAMPLED, Why.COMPARED, Why.RATIONED, Why.WARMS_UP))
        assert run.jumped_s <= STRETCH * calm
    assert run.jumped_s > 2000.0
    assert run.played_s[Why.RATIONED] > 0


def test_going_back_takes_back_what_was_played_for_what() -> None:
    run = quiet(system(), lambda _: inf)
    run.advance(100.0)
    past = run.snapshot()
    before = run.played_s.copy()
    run.advance(2000.0)
    assert run.played_s != before
    run.restore(past)
    assert run.played_s == before


@pytest.mark.parametrize("event_s", [400.0, 403.0, 409.0])
def test_whatever_its_length_the_last_seconds_of_a_jump_are_those_that_were_really_played_last(event_s: float) -> None:
    run = quiet(system(), until(event_s))
    rows: dict[bool, list[list[int]]] = {False: [], True: []}
    before = run.observe().good.copy()
    while not (rows[True] and not run.jumping):
        stood, shown = run.jumping, run.jumped_s
        run.advance(run.now + 1.0)
        after = run.observe().good.copy()
        assert (run.jumped_s > shown) is stood
        rows[stood].append([new - old for old, new in zip(before, after, strict=True)])
        before = after
    assert len(rows[True]) % BLOCK == (event_s - memory_s(system()) - 1.0 - len(rows[False])) % BLOCK
    assert rows[True][1 - BLOCK : -1] == rows[False][1 - BLOCK : -1]
