"""The concurrency limiter of an instance: the twin of `sim.traffic.limiter`."""

from __future__ import annotations

from sim.traffic.compiled.jit import Reals, Words, kernel
from sim.traffic.compiled.layout import (
    H_NOW,
    I_LIMITER,
    I_QUEUED,
    I_RUNNING,
    L_ADAPTIVE,
    L_ANSWERS,
    L_ENDS_AT,
    L_FIRST,
    L_LEAST,
    L_LIMIT,
    L_LONG,
    L_MOST,
    L_MOST_HELD,
    L_SHARES,
    L_TOTAL,
    L_WINDOW,
    L_WINDOWS,
)
from sim.traffic.limiter import DRIFT, FEWEST_ANSWERS, FOLLOWS, HEADROOM, RECOVERED, SMOOTHING, WARM_UP


@kernel
def refuses(word: Words, real: Reals, instance: int, priority: int) -> bool:
    """Whether an instance that has a limiter takes in no more of this priority."""
    limiter = word[instance + I_LIMITER]
    held = word[instance + I_RUNNING] + word[instance + I_QUEUED]
    too_many: bool = held >= real[limiter + L_LIMIT] * real[limiter + L_SHARES + priority]
    return too_many


@kernel
def admitted(word: Words, instance: int) -> None:
    """One is taken in."""
    limiter = word[instance + I_LIMITER]
    held = word[instance + I_RUNNING] + word[instance + I_QUEUED] + 1
    word[limiter + L_MOST_HELD] = max(word[limiter + L_MOST_HELD], held)


@kernel
def answered(word: Words, real: Reals, limiter: int, took_s: float) -> None:
    """A request was answered well; at the end of a window the limit moves."""
    real[limiter + L_TOTAL] += took_s
    word[limiter + L_ANSWERS] += 1
    if real[H_NOW] >= real[limiter + L_ENDS_AT] and word[limiter + L_ANSWERS] >= FEWEST_ANSWERS:
        move(word, real, limiter, real[limiter + L_TOTAL] / word[limiter + L_ANSWERS])
        real[limiter + L_ENDS_AT] = real[H_NOW] + real[limiter + L_WINDOW]
        real[limiter + L_TOTAL] = 0.0
        word[limiter + L_ANSWERS] = 0
        word[limiter + L_MOST_HELD] = 0


@kernel
def move(word: Words, real: Reals, limiter: int, short_s: float) -> None:
    """Move the limit at the end of a window."""
    word[limiter + L_WINDOWS] += 1
    long_s = real[limiter + L_LONG]
    if word[limiter + L_WINDOWS] <= WARM_UP:
        long_s += (short_s - long_s) / word[limiter + L_WINDOWS]
    else:
        long_s = long_s * (1.0 - FOLLOWS) + short_s * FOLLOWS
    real[limiter + L_LONG] = long_s
    if long_s > RECOVERED * short_s:
        real[limiter + L_LONG] *= DRIFT
    limit = real[limiter + L_LIMIT]
    if not word[limiter + L_ADAPTIVE] or word[limiter + L_MOST_HELD] < limit / 2.0:
        return
    gradient = 1.0
    if short_s > 0.0:
        gradient = max(0.5, min(1.0, long_s / short_s))
    wanted = limit * gradient + HEADROOM
    wanted = limit * (1.0 - SMOOTHING) + wanted * SMOOTHING
    real[limiter + L_LIMIT] = max(real[limiter + L_LEAST], min(real[limiter + L_MOST], wanted))


@kernel
def begin_anew(word: Words, real: Reals, limiter: int) -> None:
    """An instance has died: its next life knows nothing of what this one has measured."""
    real[limiter + L_LIMIT] = real[limiter + L_FIRST]
    real[limiter + L_LONG] = 0.0
    real[limiter + L_TOTAL] = 0.0
    real[limiter + L_ENDS_AT] = 0.0
    word[limiter + L_WINDOWS] = 0
    word[limiter + L_ANSWERS] = 0
    word[limiter + L_MOST_HELD] = 0
