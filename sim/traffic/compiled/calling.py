"""The steps in which a visit makes its calls, all at once or one after the other.

The rule that surprises: nothing calls back into a visit that is still sending, so both can stop between two calls and be resumed.
"""

from __future__ import annotations

from sim.traffic.compiled.caching import cached_call
from sim.traffic.compiled.callers import attempt_call
from sim.traffic.compiled.jit import Reals, Words, part
from sim.traffic.compiled.layout import (
    A_BORN,
    A_FLOW,
    A_INSTANCE,
    A_PENDING,
    A_REPEAT,
    A_SEQUENCE,
    A_STAGE,
    A_STEP,
    A_TRACE,
    CALLING,
    COMMITTING,
    E_ASYNCHRONOUS,
    E_BRANCH_DRAWS,
    E_CACHE,
    E_ENABLED,
    E_FRACTION,
    E_REQUIRED,
    E_WHOLE,
    F_CLASS,
    H_STOP,
    H_TRACE,
    I_STATION,
    OK,
    PENDING,
    S_CALLS,
    S_PARALLEL,
)
from sim.traffic.compiled.primitives import draw
from sim.traffic.compiled.stepping import COMMITTED, FINISH, IDLE, NEXT_CALL, PARALLEL, Step


@part
def worked(word: Words, attempt: int) -> Step:
    """Own service time (or the commit wait) is over: make the calls, all at once or one after the other."""
    if word[attempt + A_STAGE] == COMMITTING:
        return COMMITTED, attempt, 0
    station = word[word[attempt + A_INSTANCE] + I_STATION]
    word[attempt + A_STAGE] = CALLING
    if word[word[station + S_CALLS] + 2 * word[word[attempt + A_FLOW] + F_CLASS] + 1] == 0:
        return FINISH, attempt, OK
    word[attempt + A_REPEAT] = 0
    word[attempt + A_STEP] = -1
    if not word[station + S_PARALLEL]:
        return NEXT_CALL, attempt, 0
    word[attempt + A_PENDING] = 0
    return PARALLEL, attempt, OK


@part
def calls_of(word: Words, real: Reals, edge: int) -> int:
    """How many calls a request makes over an edge that is in use."""
    count: int = word[edge + E_WHOLE]
    if real[edge + E_FRACTION] != 0.0:
        count += int(draw(word, real, edge + E_BRANCH_DRAWS) < real[edge + E_FRACTION])
    return count


@part
def make_call(word: Words, real: Reals, edge: int, attempt: int) -> int:
    """The first attempt of a call a visit makes."""
    sequence, caller, flow = word[attempt + A_SEQUENCE], word[attempt + A_INSTANCE], word[attempt + A_FLOW]
    word[H_TRACE] = word[attempt + A_TRACE]
    if word[edge + E_CACHE]:
        return cached_call(word, real, edge, attempt)
    return attempt_call(word, real, False, edge, attempt, sequence, caller, flow, 0, real[attempt + A_BORN], 0, 0)


@part
def call_all(word: Words, real: Reals, attempt: int, failure: int) -> Step:
    """Make parallel calls; `failure` is the first failure of a required one so far."""
    station = word[word[attempt + A_INSTANCE] + I_STATION]
    calls = word[station + S_CALLS] + 2 * word[word[attempt + A_FLOW] + F_CLASS]
    count = word[calls + 1]
    calls = word[calls]
    step = word[attempt + A_STEP]
    left = word[attempt + A_REPEAT]
    pending = word[attempt + A_PENDING]
    while True:
        while left:
            if word[H_STOP]:
                word[attempt + A_STEP] = step
                word[attempt + A_REPEAT] = left
                word[attempt + A_PENDING] = pending
                return PARALLEL, attempt, failure
            left -= 1
            edge = word[calls + step]
            reason = make_call(word, real, edge, attempt)
            if not word[edge + E_ASYNCHRONOUS]:
                if reason == PENDING:
                    pending += 1
                elif failure == OK and word[edge + E_REQUIRED]:
                    failure = reason
        step += 1
        if step == count:
            break
        edge = word[calls + step]
        if word[edge + E_ENABLED]:
            left = calls_of(word, real, edge)
    word[attempt + A_PENDING] = pending
    if failure != OK or pending == 0:
        return FINISH, attempt, failure
    return IDLE, 0, 0


@part
def next_call(word: Words, real: Reals, attempt: int) -> Step:
    """Go on with sequential calls until one has to be waited for, one fails, or none is left."""
    station = word[word[attempt + A_INSTANCE] + I_STATION]
    calls = word[station + S_CALLS] + 2 * word[word[attempt + A_FLOW] + F_CLASS]
    count = word[calls + 1]
    calls = word[calls]
    while not word[H_STOP]:
        if word[attempt + A_REPEAT] == 0:
            step = word[attempt + A_STEP] + 1
            word[attempt + A_STEP] = step
            if step == count:
                return FINISH, attempt, OK
            edge = word[calls + step]
            if word[edge + E_ENABLED]:
                word[attempt + A_REPEAT] = calls_of(word, real, edge)
        else:
            word[attempt + A_REPEAT] -= 1
            edge = word[calls + word[attempt + A_STEP]]
            reason = make_call(word, real, edge, attempt)
            if not word[edge + E_ASYNCHRONOUS]:
                if reason == PENDING:
                    return IDLE, 0, 0
                if word[edge + E_REQUIRED] and reason != OK:
                    return FINISH, attempt, reason
    return NEXT_CALL, attempt, 0
