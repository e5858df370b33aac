"""Bulkheads and pools of connections in the kernel: the twin of `sim.traffic.gates`.

The rule that surprises: who waits for a connection stands in a list linked both ways and leaves it at once, where the plain engine
passes over those who have left; nobody can see the difference.
"""

from __future__ import annotations

from math import inf

from sim.traffic.compiled.caches import fetched
from sim.traffic.compiled.jit import Reals, Words, kernel, part
from sim.traffic.compiled.kin import RUNNING, link, unlink
from sim.traffic.compiled.layout import (
    A_BEFORE,
    A_CALLER,
    A_EDGE,
    A_EPOCH,
    A_FATE,
    A_FETCH,
    A_FLOW,
    A_GATE,
    A_HOLDS,
    A_LIFE,
    A_NEXT,
    A_OPEN,
    A_SEQUENCE,
    A_STAGE,
    A_UNTIL,
    CONNECTED,
    E_BREAKER,
    E_BULKHEAD,
    E_CANCEL,
    E_CANCELLED,
    E_CONNECTIONS,
    E_EPOCH,
    E_GATE,
    E_GUARDED,
    E_POOL_WAIT,
    E_STATE,
    E_TRYING,
    F_PROPAGATES,
    G_CALLS,
    G_CONNECTIONS,
    G_FIRST,
    G_LAST,
    GRANTED,
    H_NOW,
    HALF_OPEN,
    I_GATES,
    I_LIFE,
    NOWHERE,
    OK,
    PENDING,
    WAITED,
    WAITING,
)
from sim.traffic.compiled.primitives import push, tick
from sim.traffic.plan import Reason

_BULKHEAD, _DEADLINE, _POOL = int(Reason.BULKHEAD), int(Reason.DEADLINE), int(Reason.POOL)


@part
def until_of(word: Words, real: Reals, attempt: int) -> float:
    """The deadline that travels with an attempt; infinite if none does."""
    until: float = inf
    if word[word[attempt + A_FLOW] + F_PROPAGATES]:
        until = real[attempt + A_UNTIL]
    return until


@kernel
def enter_gate(word: Words, real: Reals, edge: int, attempt: int) -> int:
    """OK: it may be sent; PENDING: it waits for a connection; else the reason for which it is refused."""
    gate = word[word[attempt + A_CALLER] + I_GATES] + word[edge + E_GATE]
    word[attempt + A_GATE] = 0
    if word[gate + G_CALLS] >= word[edge + E_BULKHEAD]:
        return _BULKHEAD
    if word[gate + G_CONNECTIONS] < word[edge + E_CONNECTIONS]:
        word[attempt + A_GATE] = gate
        word[gate + G_CALLS] += 1
        word[gate + G_CONNECTIONS] += 1
        return OK
    if real[edge + E_POOL_WAIT] <= 0.0:
        return _POOL
    word[attempt + A_GATE] = gate
    word[gate + G_CALLS] += 1
    last = word[gate + G_LAST]
    word[attempt + A_BEFORE] = last
    word[attempt + A_NEXT] = 0
    if last:
        word[last + A_NEXT] = attempt
    else:
        word[gate + G_FIRST] = attempt
    word[gate + G_LAST] = attempt
    word[attempt + A_STAGE] = WAITING
    sequence = tick(word)
    word[attempt + A_SEQUENCE] = sequence
    word[attempt + A_OPEN] = sequence
    if word[edge + E_CANCEL] == RUNNING:
        link(word, attempt)
    word[attempt + A_HOLDS] = 2  # of the caller and of the heap
    due = real[H_NOW] + real[edge + E_POOL_WAIT]
    until = until_of(word, real, attempt)
    word[attempt + A_FATE] = _DEADLINE if until < due else _POOL
    push(word, real, min(due, until), sequence, WAITED, attempt)
    return PENDING


@part
def leave_line(word: Words, gate: int, attempt: int) -> None:
    """Take an attempt out of those who wait for a connection."""
    before = word[attempt + A_BEFORE]
    following = word[attempt + A_NEXT]
    if before:
        word[before + A_NEXT] = following
    else:
        word[gate + G_FIRST] = following
    if following:
        word[following + A_BEFORE] = before
    else:
        word[gate + G_LAST] = before


@kernel
def let_go(word: Words, real: Reals, attempt: int) -> None:
    """An attempt is over for its caller: its place in the bulkhead is free, its connection goes to the first who waits."""
    gate = word[attempt + A_GATE]
    if gate == 0 or word[word[attempt + A_CALLER] + I_LIFE] != word[attempt + A_LIFE]:
        return
    word[attempt + A_GATE] = 0
    word[gate + G_CALLS] -= 1
    if word[attempt + A_STAGE] == WAITING:
        word[attempt + A_STAGE] = NOWHERE
        leave_line(word, gate, attempt)
        return
    word[gate + G_CONNECTIONS] -= 1
    first = word[gate + G_FIRST]
    if first:
        leave_line(word, gate, first)
        word[first + A_STAGE] = CONNECTED
        word[first + A_HOLDS] += 1
        word[gate + G_CONNECTIONS] += 1
        push(word, real, real[H_NOW], tick(word), GRANTED, first)


@kernel
def call_off(word: Words, real: Reals, attempt: int) -> None:
    """The caller does not want an outcome any more: it gets none, neither do counters and breaker."""
    edge = word[attempt + A_EDGE]
    if word[edge + E_CANCEL] == RUNNING:
        unlink(word, attempt)
    word[attempt + A_OPEN] = 0
    word[edge + E_CANCELLED] += 1
    if word[edge + E_BREAKER] and word[edge + E_STATE] == HALF_OPEN and word[edge + E_EPOCH] == word[attempt + A_EPOCH]:
        word[edge + E_TRYING] -= 1
    if word[edge + E_GUARDED]:
        let_go(word, real, attempt)
    if word[attempt + A_FETCH]:
        fetched(word, real, attempt, word[attempt + A_FATE])
