"""Whose turn it is in an instance's queue, and who is dropped when it comes: the twin of `sim.traffic.queueing`."""

from __future__ import annotations

from sim.traffic.compiled.answering import answer_later
from sim.traffic.compiled.circles import end_of
from sim.traffic.compiled.jit import Reals, Words, kernel, part
from sim.traffic.compiled.layout import (
    A_BORN,
    A_FLOW,
    A_HELD_SINCE,
    A_OPEN,
    A_PRIORITY,
    A_STAGE,
    BY_CODEL,
    BY_DEADLINE,
    DONE,
    F_DEADLINE,
    H_NOW,
    I_FILLED_AT,
    I_LANES,
    I_QUEUED,
    S_CODEL_INTERVAL,
    S_CODEL_TARGET,
    S_DROPPED_BY,
    S_DROPS,
    S_FAILED,
    S_LIFO_ABOVE,
)
from sim.traffic.compiled.primitives import release
from sim.traffic.plan import Reason

_DROPPED = int(Reason.DROPPED)


@part
def next_in_queue(word: Words, instance: int, station: int) -> int:
    """Whose turn it is. Only stations without lanes by priority ever serve the newest first."""
    lane = instance + I_LANES
    attempt: int = word[lane]
    if word[instance + I_QUEUED] > word[station + S_LIFO_ABOVE]:
        attempt = word[lane + 1]
    if attempt == end_of(lane):
        attempt = word[lane + 2]
    if attempt == end_of(lane + 2):
        attempt = word[lane + 4]
    return attempt


@kernel
def overdue(word: Words, real: Reals, attempt: int, instance: int, station: int) -> bool:
    """Whether an attempt whose turn has come is dropped instead of served."""
    now = real[H_NOW]
    if word[station + S_DROPS] & BY_DEADLINE and now - real[attempt + A_BORN] > real[word[attempt + A_FLOW] + F_DEADLINE]:
        return True
    if not word[station + S_DROPS] & BY_CODEL:
        return False
    limit_s = real[station + S_CODEL_INTERVAL]
    if now - real[instance + I_FILLED_AT] >= limit_s:
        limit_s = real[station + S_CODEL_TARGET]
    late: bool = now - real[attempt + A_HELD_SINCE] > limit_s
    return late


@kernel
def drop(word: Words, real: Reals, attempt: int, station: int, reason: int) -> None:
    """Refuse an attempt after it has waited."""
    word[attempt + A_STAGE] = DONE
    word[station + S_FAILED] += 1
    if reason == _DROPPED:
        word[station + S_DROPPED_BY + word[attempt + A_PRIORITY]] += 1
    if word[attempt + A_OPEN]:
        answer_later(word, real, attempt, reason)
    release(word, attempt)
