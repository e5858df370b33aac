"""Calls over an edge with a cache: the twin of `sim.traffic.caching`, on the records of `caches`."""

from __future__ import annotations

from sim.traffic.compiled.caches import cache_of, has
from sim.traffic.compiled.callers import attempt_call, begin
from sim.traffic.compiled.jit import Reals, Words, kernel
from sim.traffic.compiled.layout import (
    A_BORN,
    A_FLOW,
    A_HOLDS,
    A_INSTANCE,
    A_NEXT,
    A_OPEN,
    A_SEQUENCE,
    A_STAGE,
    C_KEYS,
    E_COALESCE,
    E_HITS,
    E_JOINED,
    E_KEYS,
    E_MISSES,
    H_FETCH,
    JOINED,
    K_FETCHED,
    K_FIRST,
    K_LAST,
    KEY_WORDS,
    OK,
    PENDING,
)
from sim.traffic.compiled.primitives import draw


@kernel
def cached_call(word: Words, real: Reals, edge: int, attempt: int) -> int:
    """Make a call of a visit unless its answer is in the cache: OK, PENDING, or why it has failed already."""
    caller, sequence, flow, born = (
        word[attempt + A_INSTANCE],
        word[attempt + A_SEQUENCE],
        word[attempt + A_FLOW],
        real[attempt + A_BORN],
    )
    cache = cache_of(word, edge, caller)
    entry = cache + C_KEYS + KEY_WORDS * int(draw(word, real, edge + E_KEYS))
    if has(word, real, cache, entry):
        word[edge + E_HITS] += 1
        return OK
    if word[edge + E_COALESCE]:
        if word[entry + K_FETCHED]:
            word[edge + E_JOINED] += 1
            waiter = begin(word, real, False, edge, attempt, sequence, caller, flow, 0, born, 0, 0)
            word[waiter + A_STAGE] = JOINED
            word[waiter + A_OPEN] = 1
            word[waiter + A_HOLDS] = 2
            word[waiter + A_NEXT] = 0
            if word[entry + K_FIRST]:
                word[word[entry + K_LAST] + A_NEXT] = waiter
            else:
                word[entry + K_FIRST] = waiter
            word[entry + K_LAST] = waiter
            return PENDING
        word[entry + K_FETCHED] = 1
    word[edge + E_MISSES] += 1
    word[H_FETCH] = entry
    reason: int = attempt_call(word, real, False, edge, attempt, sequence, caller, flow, 0, born, 0, 0)
    word[H_FETCH] = 0
    if reason != PENDING:
        word[entry + K_FETCHED] = 0
    return reason
