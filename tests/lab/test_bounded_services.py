"""Admission by class, service times and the breaker: the mechanisms that make overload real."""

from __future__ import annotations

import asyncio
import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.lab.services.admission import CLASSES, Admission, Shed
from experiments.lab.services.times import ServiceTime
from tests.lab.real import needs_lab

classes = st.sampled_from(list(CLASSES))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(0, 9), st.lists(classes, max_size=40))
def test_never_more_at_once_than_slots_never_more_waiting_than_room_and_the_important_first(
    slots: int, queue: int, wanted: list[str]
) -> None:
    """All come at once, before anybody is done: a closed form says who is admitted, and in which order."""
    served: list[tuple[str, int]] = []
    shed: list[str] = []
    most = 0

    async def come(admission: Admission, request_class: str, number: int, gate: asyncio.Event) -> None:
        nonlocal most
        try:
            async with admission.slot(request_class):
                served.append((request_class, number))
                most = max(most, admission.busy)
                await gate.wait()
        except Shed:
            shed.append(request_class)

    async def story() -> None:
        admission, gate = Admission(slots, queue, 60.0), asyncio.Event()
        tasks = [asyncio.create_task(come(admission, one, number, gate)) for number, one in enumerate(wanted)]
        for _ in range(3):
            await asyncio.sleep(0)
        assert admission.waiting <= queue
        gate.set()
        await asyncio.gather(*tasks)
        assert (admission.busy, admission.waiting) == (0, 0)

    asyncio.run(story())
    waiting: list[str] = []
    for one in wanted[slots:]:
        if len(waiting) < queue * CLASSES[one][1] // 3:
            waiting.append(one)
    assert most <= slots
    assert len(served) == min(slots, len(wanted)) + len(waiting)
    assert len(served) + len(shed) == len(wanted)
    ranks = [(CLASSES[one][0], number) for one, number in served[slots:]]
    assert all(before < after for before, after in pairwise(ranks)), "more important first, then who came first"


def test_who_waits_too_long_is_refused_and_leaves_the_queue() -> None:
    async def story() -> None:
        admission = Admission(1, 3, 0.01)
        async with admission.slot("critical"):
            with pytest.raises(Shed):
                async with admission.slot("critical"):
                    raise AssertionError("there was no slot")
            assert admission.waiting == 0
        async with admission.slot("best-effort"):
            assert admission.busy == 1

    asyncio.run(story())


def test_who_goes_away_while_waiting_takes_no_slot_along() -> None:
    async def story() -> None:
        admission = Admission(1, 3, 60.0)

        async def wait() -> None:
            async with admission.slot("normal"):
                raise AssertionError("was cancelled before")

        async with admission.slot("normal"):
            waiter = asyncio.create_task(wait())
            await asyncio.sleep(0)
            assert admission.waiting == 1
        waiter.cancel()  # its slot has just been handed over
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert admission.busy == 0

    asyncio.run(story())


@pytest.mark.parametrize(
    ("text", "mean", "cv"),
    [("12ms", 0.012, 0.0), ("exponential 20ms", 0.02, 1.0), ("lognormal 40ms cv 0.5", 0.04, 0.5), ("gamma 10ms cv 2", 0.01, 2.0)],
)
def test_service_times_have_the_mean_and_spread_of_their_name(text: str, mean: float, cv: float) -> None:
    times = ServiceTime(text, "seed")
    drawn = [times.draw() for _ in range(40_000)]
    found = math.fsum(drawn) / len(drawn)
    spread = math.sqrt(math.fsum((one - found) ** 2 for one in drawn) / len(drawn))
    assert found == pytest.approx(mean, rel=0.05)
    assert spread == pytest.approx(cv * mean, rel=0.1, abs=1e-9)
    with pytest.raises(ValueError, match="no distribution"):
        times.set("quick")
    assert times.text == text


@needs_lab
def test_the_breaker_opens_after_failures_in_a_row_and_lets_one_trial_through(monkeypatch: pytest.MonkeyPatch) -> None:
    from experiments.lab.services import checkout

    now = [100.0]
    monkeypatch.setattr(checkout.time, "monotonic", lambda: now[0])
    breaker = checkout.Breaker()
    for _ in range(checkout.BREAKER_FAILURES - 1):
        breaker.saw(breaker.lets_through(), success=False)
    breaker.saw(breaker.lets_through(), success=True)
    assert breaker.lets_through(), "not in a row"
    early = [breaker.lets_through() for _ in range(2)]
    for _ in range(checkout.BREAKER_FAILURES):
        breaker.saw(breaker.lets_through(), success=False)
    assert not breaker.lets_through()
    now[0] += checkout.BREAKER_OPEN_S - 1.0
    breaker.saw(early[0], success=False)
    breaker.saw(early[1], success=True)
    assert not breaker.lets_through(), "what was under way when it opened neither closes it nor keeps it open"
    now[0] += 1.0
    trial = breaker.lets_through()
    assert trial
    assert not breaker.lets_through(), "one at a time"
    breaker.saw(trial, success=False)
    now[0] += checkout.BREAKER_OPEN_S
    breaker.saw(breaker.lets_through(), success=True)
    assert breaker.lets_through()
    assert breaker.opened == 1
