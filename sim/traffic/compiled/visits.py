"""The callee's side of an attempt in the kernel: the twin of `sim.traffic.visits` up to the start of work.

The rule that surprises: a cancelled attempt leaves its queue at once (queues are linked both ways), where the plain engine leaves it
lying until the queue is swept; nobody can see the difference.
"""

from __future__ import annotations

from sim.traffic.compiled.answering import answer_later
from sim.traffic.compiled.calendar_queue import schedule
from sim.traffic.compiled.circles import append, remove
from sim.traffic.compiled.jit import Reals, Words, kernel, part
from sim.traffic.compiled.layout import (
    A_ARRIVED_AT,
    A_CHILDREN,
    A_HELD_SINCE,
    A_HOLDS,
    A_PRIORITY,
    A_SEQUENCE,
    A_STAGE,
    A_TRACE,
    A_YOUNGEST,
    E_OPERATION,
    H_NOW,
    I_FILLED_AT,
    I_FIRST,
    I_LANES,
    I_LIMITER,
    I_PACE,
    I_QUEUE_LIMIT,
    I_QUEUED,
    I_ROOM,
    I_RUNNING,
    I_STATION,
    I_UP,
    OK,
    PENDING,
    QUEUED,
    READ,
    S_ADMIT,
    S_ADMITTED_BY,
    S_ARRIVED,
    S_BARRED,
    S_BROKER,
    S_CANCELS,
    S_FAILED,
    S_KEEPS_WRITES,
    S_LIMITED,
    S_PICKY,
    S_PRIORITY_LANES,
    S_READ_ONLY,
    S_REFUSED_BY,
    S_SHED_BELOW_LIMIT,
    S_STALE,
    S_TIMES,
    S_WRITES_ATTEMPTED,
    WORKING,
    WRITE,
)
from sim.traffic.compiled.limiting import admitted, refuses
from sim.traffic.compiled.primitives import draw, mark, tick
from sim.traffic.marks import STARTED
from sim.traffic.plan import Reason

_QUEUE_FULL, _READ_ONLY, _REFUSED = int(Reason.QUEUE_FULL), int(Reason.READ_ONLY), int(Reason.REFUSED)
_LIMITED, _SHED, _STALE = int(Reason.LIMITED), int(Reason.SHED), int(Reason.STALE)


@part
def start(word: Words, real: Reals, attempt: int, instance: int, station: int) -> None:
    """Give the attempt a slot, at the end of the list of those running, and its own service time."""
    now = real[H_NOW]
    append(word, instance + I_FIRST, attempt)
    word[instance + I_RUNNING] += 1
    real[attempt + A_HELD_SINCE] = now
    word[attempt + A_STAGE] = WORKING
    if word[attempt + A_TRACE]:
        mark(word, real, STARTED, word[attempt + A_TRACE], word[attempt + A_SEQUENCE], 0, 0, 0, 0, 0)
    due = now + draw(word, real, station + S_TIMES) * real[instance + I_PACE]
    schedule(word, real, attempt, due, tick(word))


@part
def stop(word: Words, attempt: int, instance: int) -> None:
    """Take the attempt's slot away."""
    remove(word, attempt)
    word[instance + I_RUNNING] -= 1


@part
def lane_of(word: Words, attempt: int, instance: int) -> int:
    """The queue of an instance an attempt belongs to."""
    lane: int = instance + I_LANES
    if word[word[instance + I_STATION] + S_PRIORITY_LANES]:
        lane += 2 * word[attempt + A_PRIORITY]
    return lane


@part
def enqueue(word: Words, real: Reals, attempt: int, instance: int) -> None:
    """Put the attempt at the end of its queue."""
    real[attempt + A_HELD_SINCE] = real[H_NOW]
    if word[instance + I_QUEUED] == 0:
        real[instance + I_FILLED_AT] = real[H_NOW]
    word[attempt + A_STAGE] = QUEUED
    append(word, lane_of(word, attempt, instance), attempt)
    word[instance + I_QUEUED] += 1


@part
def leave_queue(word: Words, attempt: int, instance: int) -> None:
    """Take the attempt out of its queue, wherever it stands."""
    remove(word, attempt)
    word[instance + I_QUEUED] -= 1


@kernel
def why_not(word: Words, real: Reals, edge: int, instance: int, station: int, priority: int, free: bool) -> int:
    """Why an arrival is refused, or PENDING if it is not."""
    operation = word[edge + E_OPERATION]
    if not word[instance + I_UP]:
        return _REFUSED
    if word[station + S_READ_ONLY] and operation == WRITE:
        return _READ_ONLY
    if word[station + S_STALE] and operation == READ:
        return _STALE
    if word[instance + I_LIMITER] and refuses(word, real, instance, priority):
        word[station + S_REFUSED_BY + priority] += 1
        word[station + S_LIMITED] += 1
        return _LIMITED
    if free and not word[station + S_BARRED + priority]:
        return PENDING
    queued = word[instance + I_QUEUED]
    limit = word[instance + I_QUEUE_LIMIT]
    if not free and queued >= limit:
        word[station + S_REFUSED_BY + priority] += 1
        return _QUEUE_FULL
    if free or queued >= limit * real[station + S_ADMIT + priority]:
        word[station + S_REFUSED_BY + priority] += 1
        word[station + S_SHED_BELOW_LIMIT] += free
        return _SHED
    return PENDING


@part
def receive(word: Words, real: Reals, attempt: int, edge: int, instance: int, station: int) -> int:
    """An attempt arrives: PENDING if it was given a slot or a place in the queue, else why it was refused."""
    priority = word[attempt + A_PRIORITY]
    word[station + S_ARRIVED] += 1
    if word[station + S_CANCELS]:
        word[attempt + A_CHILDREN] = 0
        word[attempt + A_YOUNGEST] = 0
    real[attempt + A_ARRIVED_AT] = real[H_NOW]
    if word[station + S_KEEPS_WRITES] and word[edge + E_OPERATION] == WRITE:
        word[station + S_WRITES_ATTEMPTED] += 1
    free = word[instance + I_RUNNING] < word[instance + I_ROOM]
    if not free or word[station + S_PICKY] or word[station + S_BARRED + priority]:
        reason = why_not(word, real, edge, instance, station, priority, free)
        if reason != PENDING:
            word[station + S_FAILED] += 1
            return reason
        if word[instance + I_LIMITER]:  # such a station is always picky
            admitted(word, instance)
        if word[station + S_BROKER]:  # always picky, too
            answer_later(word, real, attempt, OK)
    word[station + S_ADMITTED_BY + priority] += 1
    word[attempt + A_HOLDS] += 1
    if free:
        start(word, real, attempt, instance, station)
    else:
        enqueue(word, real, attempt, instance)
    return PENDING
