"""The second attempt of a hedged call in the kernel: the twin of `sim.traffic.hedging`.

The rule that surprises: the first attempt learns of the second only once that is under way, so one that fails at once leaves no trace in it.
"""

from __future__ import annotations

from sim.traffic.compiled.callers import begin, gone, may_send, send
from sim.traffic.compiled.failing import count_failure
from sim.traffic.compiled.gates import until_of
from sim.traffic.compiled.jit import Reals, Words, kernel
from sim.traffic.compiled.layout import (
    A_BORN,
    A_CALLER,
    A_EDGE,
    A_ENTERED,
    A_FETCH,
    A_FLOW,
    A_LIFE,
    A_NUMBER,
    A_OPEN,
    A_PARENT,
    A_PARENT_SEQUENCE,
    A_SEQUENCE,
    A_TRACE,
    A_TWIN,
    A_TWIN_SEQUENCE,
    A_UNTIL,
    E_BUDGET,
    E_EARNS,
    F_PROPAGATES,
    H_FETCH,
    H_NOW,
    H_TRACE,
    OK,
    PENDING,
)
from sim.traffic.compiled.noting import note_failure
from sim.traffic.compiled.primitives import give_back
from sim.traffic.plan import Reason

_BREAKER_OPEN = int(Reason.BREAKER_OPEN)
_ROUNDING = 1e-9


@kernel
def hedge(word: Words, real: Reals, first: int) -> None:
    """An attempt has not been answered for long: make a second one, unless the budget or the breaker forbids it."""
    edge = word[first + A_EDGE]
    if gone(word, first) or (word[edge + E_EARNS] and real[edge + E_BUDGET] < 1.0 - _ROUNDING):
        return
    if real[H_NOW] >= until_of(word, real, first):
        return
    parent, flow, number = word[first + A_PARENT], word[first + A_FLOW], word[first + A_NUMBER]
    client = parent == 0
    word[H_TRACE] = word[first + A_TRACE]
    parent_sequence, caller, life = word[first + A_PARENT_SEQUENCE], word[first + A_CALLER], word[first + A_LIFE]
    word[H_FETCH] = word[first + A_FETCH]
    second = begin(word, real, client, edge, parent, parent_sequence, caller, flow, number, real[first + A_BORN], caller, life)
    word[H_FETCH] = 0
    if word[flow + F_PROPAGATES]:
        real[second + A_UNTIL] = real[first + A_UNTIL]
    word[second + A_TWIN] = first
    word[second + A_TWIN_SEQUENCE] = word[first + A_SEQUENCE]
    reason = may_send(word, real, client, edge, second, flow, number, True)
    if reason == OK:
        reason = send(word, real, client, edge, second)
        if client:
            word[first + A_ENTERED] = word[second + A_ENTERED]
    if reason == PENDING:
        word[first + A_TWIN] = second
        word[first + A_TWIN_SEQUENCE] = word[second + A_SEQUENCE]
        return
    if reason != _BREAKER_OPEN:
        count_failure(word, real, edge, second, reason)
    if word[H_TRACE]:
        note_failure(word, real, second, edge, parent, parent_sequence, number, reason)
    word[second + A_OPEN] = 0
    give_back(word, second)
