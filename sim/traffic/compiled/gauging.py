"""Gauges in the kernel, and the conditions on them that are watched: the twin of `sim.traffic.watching`.

The rule that surprises: nothing of this is kept up to date while it plays. A gauge is worked out when somebody asks, and a condition when
an instant is over, as long as there are any watches at all.
"""

from __future__ import annotations

from math import inf

from sim.traffic.compiled.circles import end_of
from sim.traffic.compiled.jit import Reals, Words, kernel, part
from sim.traffic.compiled.layout import (
    A_DUE,
    A_HELD_SINCE,
    A_NEXT,
    E_STATE,
    F_GOOD,
    F_LOST_ALL,
    F_OFFERED,
    H_HEAP,
    H_HEAP_SIZE,
    H_INSTANCES,
    H_NOW,
    H_SOONEST,
    H_WATCH_COUNT,
    H_WATCHES,
    I_FIRST,
    I_LIMITER,
    I_NEXT,
    I_QUEUED,
    I_RUNNING,
    I_SLOTS,
    I_STATION,
    I_UP,
    L_LIMIT,
    NEVER,
    S_BUSY,
    S_BUSY_NOW_S,
    S_BUSY_S,
    S_LIMIT,
    S_MEMBER_COUNT,
    S_MEMBERS,
    S_QUEUED,
    S_SLOTS,
    STATION_WORDS,
    W_AT_LEAST,
    W_BOUND,
    W_FIRED,
    W_LASTING,
    W_SINCE,
    W_SUBJECT,
    W_WHAT,
    WATCH_BREAKER,
    WATCH_BUSY,
    WATCH_HELD,
    WATCH_IN_FLIGHT,
    WATCH_LOST,
    WATCH_QUEUED,
    WATCH_WORDS,
)

_INFINITE = inf


@part
def measure(word: Words, real: Reals, first_station: int, stations: int) -> None:
    """Gauges of all stations. The sums run over instances and their visits in order, because floats add up differently in another."""
    now = real[H_NOW]
    for number in range(stations):
        station = first_station + STATION_WORDS * number
        word[station + S_BUSY] = 0
        word[station + S_QUEUED] = 0
        word[station + S_SLOTS] = 0
        real[station + S_BUSY_NOW_S] = 0.0
        real[station + S_LIMIT] = 0.0
    instance = word[H_INSTANCES]
    while instance:
        station = word[instance + I_STATION]
        word[station + S_BUSY] += word[instance + I_RUNNING]
        word[station + S_QUEUED] += word[instance + I_QUEUED]
        if word[instance + I_UP]:
            word[station + S_SLOTS] += word[instance + I_SLOTS]
            if word[instance + I_LIMITER]:
                real[station + S_LIMIT] += real[word[instance + I_LIMITER] + L_LIMIT]
        attempt = word[instance + I_FIRST]
        while attempt != end_of(instance + I_FIRST):
            real[station + S_BUSY_NOW_S] += now - real[attempt + A_HELD_SINCE]
            attempt = word[attempt + A_NEXT]
        instance = word[instance + I_NEXT]
    for number in range(stations):
        station = first_station + STATION_WORDS * number
        real[station + S_BUSY_NOW_S] = real[station + S_BUSY_S] + real[station + S_BUSY_NOW_S]


@part
def value_of(word: Words, what: int, subject: int) -> float:
    """What is watched, now."""
    if what == WATCH_BREAKER:
        return 1.0 if word[subject + E_STATE] else 0.0
    if what == WATCH_LOST:  # the subject is the counter itself
        return float(word[subject])
    if what == WATCH_IN_FLIGHT:
        return float(word[subject + F_OFFERED] - word[subject + F_GOOD] - word[subject + F_LOST_ALL])
    if what == WATCH_HELD:
        return float(word[subject + I_RUNNING] + word[subject + I_QUEUED])
    busy = queued = slots = 0
    for number in range(word[subject + S_MEMBER_COUNT]):
        instance = word[word[subject + S_MEMBERS] + number]
        busy += word[instance + I_RUNNING]
        queued += word[instance + I_QUEUED]
        if word[instance + I_UP]:
            slots += word[instance + I_SLOTS]
    if what == WATCH_QUEUED:
        return float(queued)
    if what == WATCH_BUSY:
        return float(busy)
    return busy / slots if slots else 1.0


@kernel
def watched(word: Words, real: Reals, until: float) -> bool:
    """Whether a watch speaks up before the next event; if so, that is the present instant, and all that are due then have fired."""
    now = real[H_NOW]
    soon = real[word[H_HEAP]] if word[H_HEAP_SIZE] else _INFINITE  # the heap has no hole here
    if word[word[H_SOONEST] + A_DUE] < NEVER:
        soon = min(soon, real[word[H_SOONEST] + A_DUE])
    if soon <= now:
        return False
    soon = min(soon, until)
    first_s = _INFINITE
    end = word[H_WATCHES] + WATCH_WORDS * word[H_WATCH_COUNT]
    for watch in range(word[H_WATCHES], end, WATCH_WORDS):
        if word[watch + W_FIRED]:
            continue
        value = value_of(word, word[watch + W_WHAT], word[watch + W_SUBJECT])
        if value >= real[watch + W_BOUND] if word[watch + W_AT_LEAST] else value <= real[watch + W_BOUND]:
            if real[watch + W_SINCE] < 0.0:
                real[watch + W_SINCE] = now
            due_s = real[watch + W_SINCE] + real[watch + W_LASTING]
            first_s = min(first_s, due_s)
        else:
            real[watch + W_SINCE] = -1.0
    if first_s > soon:
        return False
    for watch in range(word[H_WATCHES], end, WATCH_WORDS):
        if real[watch + W_SINCE] >= 0.0 and real[watch + W_SINCE] + real[watch + W_LASTING] <= first_s:
            word[watch + W_FIRED] = 1
    real[H_NOW] = max(now, first_s)
    return True
