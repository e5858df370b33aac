"""The caller's side of a call in the kernel: the twin of `sim.traffic.attempts`, `breaker` and `balancing`.

The rule that surprises: a record is held by everyone who may still look at it (A_HOLDS) and reused when nobody does. A child refers to
its parent by position and sequence, so it can tell that the parent has gone without keeping it.
"""

from __future__ import annotations

from math import inf

from sim.traffic.compiled.answering import answer_now, lost
from sim.traffic.compiled.balancing import balance, next_to
from sim.traffic.compiled.ejecting import judge
from sim.traffic.compiled.failing import count_failure
from sim.traffic.compiled.gates import enter_gate, until_of
from sim.traffic.compiled.jit import Reals, Words, kernel, part
from sim.traffic.compiled.kin import RUNNING, link
from sim.traffic.compiled.layout import (
    A_BORN,
    A_CALLER,
    A_EDGE,
    A_ENTERED,
    A_EPOCH,
    A_FATE,
    A_FETCH,
    A_FLOW,
    A_HOLDS,
    A_INSTANCE,
    A_LIFE,
    A_NUMBER,
    A_OPEN,
    A_PARENT,
    A_PARENT_SEQUENCE,
    A_PATH,
    A_POSITION,
    A_PRIORITY,
    A_SEQUENCE,
    A_STAGE,
    A_TRACE,
    A_TWIN,
    A_UNTIL,
    A_USER,
    B_ACTIVE,
    CALLING,
    CONNECTED,
    DUE,
    E_ASYNCHRONOUS,
    E_ATTEMPTS,
    E_BACKOFF,
    E_BACKOFF_CAP,
    E_BACKOFF_DRAWS,
    E_BREAKER,
    E_BUDGET,
    E_BURST,
    E_CANCEL,
    E_CUT,
    E_EARN,
    E_EARNS,
    E_ENABLED,
    E_EPOCH,
    E_FALLBACK,
    E_GUARDED,
    E_HEDGE_S,
    E_HEDGED,
    E_HEDGES,
    E_RETRIED,
    E_RETRIES,
    E_RING,
    E_SINGLE,
    E_SKIPPED,
    E_STATE,
    E_TIMEOUT,
    F_BUCKET,
    F_DEADLINE,
    F_PRIORITY,
    F_PROPAGATES,
    F_ROW,
    H_ENTERED,
    H_FETCH,
    H_NOW,
    H_OUTLIERS,
    H_TRACE,
    HEDGE,
    I_COLUMN,
    I_LIFE,
    I_ROW,
    NOWHERE,
    OK,
    P_CLEAR_THERE,
    P_THERE_CUT,
    P_THERE_LOSS,
    PENDING,
    RETRY,
    T_STATION,
)
from sim.traffic.compiled.noting import note_failure, note_sent
from sim.traffic.compiled.policies import choose, lets_through, take_token
from sim.traffic.compiled.primitives import add_timer, draw, give_back, push, take, tick
from sim.traffic.compiled.visits import receive
from sim.traffic.compiled.withdrawing import DECIDED, twin_is_open
from sim.traffic.plan import Reason

_BREAKER_OPEN, _DNS, _NO_ROUTE, _RATE_LIMITED = map(int, (Reason.BREAKER_OPEN, Reason.DNS, Reason.NO_ROUTE, Reason.RATE_LIMITED))
_PARTITIONED, _PACKET_LOSS, _TIMEOUT = map(int, (Reason.PARTITIONED, Reason.PACKET_LOSS, Reason.TIMEOUT))
_DEADLINE = int(Reason.DEADLINE)
_NEVER = inf
_LONGEST_DOUBLING = 60
_ROUNDING = 1e-9
_NO_TARGET = 0


@part
def gone(word: Words, attempt: int) -> bool:
    """Whether nobody will use the outcome: the calling visit is over, or (asynchronous) its process has died."""
    parent = word[attempt + A_PARENT]
    if word[word[attempt + A_EDGE] + E_HEDGES] and word[attempt + A_TWIN] == DECIDED:
        return True
    if parent == 0:
        return False
    if word[word[attempt + A_EDGE] + E_ASYNCHRONOUS]:
        died: bool = word[word[attempt + A_CALLER] + I_LIFE] != word[attempt + A_LIFE]
        return died
    over: bool = word[parent + A_SEQUENCE] != word[attempt + A_PARENT_SEQUENCE] or word[parent + A_STAGE] != CALLING
    return over


@part
def retries(word: Words, real: Reals, edge: int, number: int) -> bool:
    """Whether try `number` of a call, which has failed, is followed by another."""
    if number >= word[edge + E_RETRIES]:
        return False
    return not (word[edge + E_EARNS] and real[edge + E_BUDGET] < 1.0 - _ROUNDING)


@kernel
def schedule_retry(word: Words, real: Reals, edge: int, attempt: int, until: float) -> None:
    """Put the end of a backoff, at the latest `until`, on the heap; the heap becomes a holder of the attempt."""
    if word[edge + E_EARNS]:
        left = real[edge + E_BUDGET] - 1.0
        real[edge + E_BUDGET] = max(left, 0.0)
    factor = 1.0
    for _ in range(min(word[attempt + A_NUMBER], _LONGEST_DOUBLING)):
        factor *= 2.0
    longest_s = min(real[edge + E_BACKOFF] * factor, real[edge + E_BACKOFF_CAP])
    delay_s = longest_s * draw(word, real, edge + E_BACKOFF_DRAWS) if longest_s > 0.0 else 0.0
    word[attempt + A_HOLDS] += 1
    push(word, real, min(real[H_NOW] + delay_s, until), tick(word), RETRY, attempt)


@kernel
def end_at(word: Words, real: Reals, attempt: int, until: float) -> None:
    """Let an attempt end with the deadline of its request, before its own timeout; the heap becomes a holder of it."""
    if word[attempt + A_FATE] == _TIMEOUT:
        word[attempt + A_FATE] = _DEADLINE
    word[attempt + A_HOLDS] += 1
    push(word, real, until, word[attempt + A_SEQUENCE], DUE, attempt)


@part
def begin(
    word: Words,
    real: Reals,
    client: bool,
    edge: int,
    parent: int,
    parent_sequence: int,
    caller: int,
    flow: int,
    number: int,
    born: float,
    user: int,
    entered: int,
) -> int:
    """A record for one try of one logical call."""
    attempt = take(word)
    word[attempt + A_STAGE] = NOWHERE
    word[attempt + A_HOLDS] = 0
    word[attempt + A_SEQUENCE] = 0
    word[attempt + A_OPEN] = 0
    word[attempt + A_EDGE] = edge
    word[attempt + A_INSTANCE] = 0
    word[attempt + A_PARENT] = parent
    real[attempt + A_BORN] = born
    if client:
        word[attempt + A_USER] = user
        word[attempt + A_ENTERED] = entered
    else:
        word[attempt + A_PARENT_SEQUENCE] = parent_sequence
        word[attempt + A_CALLER] = caller
        word[attempt + A_LIFE] = word[caller + I_LIFE]
    word[attempt + A_FLOW] = flow
    word[attempt + A_PRIORITY] = word[flow + F_PRIORITY]
    word[attempt + A_NUMBER] = number
    word[attempt + A_FATE] = _TIMEOUT
    word[attempt + A_POSITION] = -1
    word[attempt + A_TRACE] = word[H_TRACE]
    word[attempt + A_FETCH] = word[H_FETCH]
    return attempt


@part
def attempt_call(  # noqa: C901 (the hot path)
    word: Words,
    real: Reals,
    client: bool,
    edge: int,
    parent: int,
    parent_sequence: int,
    caller: int,
    flow: int,
    number: int,
    born: float,
    user: int,
    entered: int,
) -> int:
    """Make one attempt of a call: PENDING, or the reason for which the whole call, fallbacks included, has failed already.

    For a client's call, H_ENTERED is afterwards the last station the request reached.
    """
    until = _NEVER
    if word[flow + F_PROPAGATES]:
        if client:
            until = born + real[flow + F_DEADLINE]
        elif not word[edge + E_ASYNCHRONOUS]:
            until = real[parent + A_UNTIL]
        if real[H_NOW] >= until:
            if client:
                word[H_ENTERED] = entered
            return _DEADLINE
    while True:
        attempt = begin(word, real, client, edge, parent, parent_sequence, caller, flow, number, born, user, entered)
        if word[flow + F_PROPAGATES]:
            real[attempt + A_UNTIL] = until
        if word[edge + E_HEDGES]:
            word[attempt + A_TWIN] = 0
        reason = may_send(word, real, client, edge, attempt, flow, number, False)
        if reason == OK:
            reason = send(word, real, client, edge, attempt)
            if client:
                entered = word[attempt + A_ENTERED]
        if client:
            word[H_ENTERED] = entered
        if reason == PENDING:
            return PENDING
        if reason != _BREAKER_OPEN:
            count_failure(word, real, edge, attempt, reason)
        if word[H_TRACE]:
            note_failure(word, real, attempt, edge, parent, parent_sequence, number, reason)
        word[attempt + A_OPEN] = 0
        word[attempt + A_HOLDS] = 0
        if retries(word, real, edge, number):
            word[attempt + A_FATE] = reason  # for those who have joined its call, if it is given up meanwhile
            schedule_retry(word, real, edge, attempt, until)
            return PENDING
        give_back(word, attempt)
        fallback = word[edge + E_FALLBACK]
        if fallback == 0 or not word[fallback + E_ENABLED]:
            return reason
        edge = fallback
        number = 0


@part
def may_send(word: Words, real: Reals, client: bool, edge: int, attempt: int, flow: int, number: int, hedge: bool) -> int:
    """OK: an attempt may be sent; PENDING: it waits for a connection; else the reason for which it is refused at once."""
    if word[edge + E_BREAKER]:
        if word[edge + E_STATE] and not lets_through(word, real, edge):
            word[edge + E_SKIPPED] += 1
            return _BREAKER_OPEN
        word[attempt + A_EPOCH] = word[edge + E_EPOCH]
    word[edge + E_ATTEMPTS] += 1
    if hedge:
        word[edge + E_HEDGED] += 1
        left = real[edge + E_BUDGET] - 1.0
        real[edge + E_BUDGET] = max(left, 0.0)
    elif number:
        word[edge + E_RETRIED] += 1
    elif word[edge + E_EARNS]:
        budget = real[edge + E_BUDGET] + real[edge + E_EARN]
        real[edge + E_BUDGET] = min(budget, real[edge + E_BURST])
    if client:
        bucket = word[flow + F_BUCKET]
        if word[bucket + B_ACTIVE] and not take_token(real, bucket):
            return _RATE_LIMITED
    elif word[edge + E_GUARDED]:
        return enter_gate(word, real, edge, attempt)
    return OK


@part
def send(word: Words, real: Reals, client: bool, edge: int, attempt: int) -> int:  # noqa: C901 (the hot path)
    """Choose where an attempt goes and send it: PENDING, or the reason for which it has failed already."""
    target = word[edge + E_SINGLE]
    if target == _NO_TARGET:
        target = choose(word, real, edge)
        if target < 0:
            return -1 - target
    station = word[target + T_STATION]
    caller = 0 if client else word[attempt + A_CALLER]
    instance = balance(word, real, edge, station, target, caller)
    if instance == 0:
        return _NO_ROUTE
    if word[edge + E_HEDGES] and word[attempt + A_TWIN] > 0 and word[word[attempt + A_TWIN] + A_INSTANCE] == instance:
        instance = next_to(word, station, instance)
    word[attempt + A_INSTANCE] = instance
    row = word[word[attempt + A_FLOW] + F_ROW] if client else word[caller + I_ROW]
    path = row + word[instance + I_COLUMN]
    word[attempt + A_PATH] = path
    if word[attempt + A_STAGE] == CONNECTED:
        word[attempt + A_STAGE] = NOWHERE
    else:
        sequence = tick(word)
        word[attempt + A_SEQUENCE] = sequence
        word[attempt + A_OPEN] = sequence
        word[attempt + A_HOLDS] = 1
        if word[edge + E_CANCEL] == RUNNING:
            link(word, attempt)
    if word[attempt + A_TRACE]:
        note_sent(word, real, attempt)
    if word[edge + E_CUT]:
        word[attempt + A_FATE] = _PARTITIONED
    elif word[path + P_CLEAR_THERE] or not lost(word, real, attempt, word[path + P_THERE_CUT], real[path + P_THERE_LOSS]):
        if client:
            word[attempt + A_ENTERED] = station
        refusal = receive(word, real, attempt, edge, instance, station)
        if refusal != PENDING and answer_now(word, real, attempt, refusal):
            if word[H_OUTLIERS]:
                judge(word, real, attempt, refusal)
            return refusal
    until = until_of(word, real, attempt)
    if until < real[H_NOW] + real[edge + E_TIMEOUT]:
        end_at(word, real, attempt, until)
    else:
        add_timer(word, real, word[edge + E_RING], real[H_NOW] + real[edge + E_TIMEOUT], word[attempt + A_SEQUENCE], attempt)
    if word[edge + E_HEDGES] and word[attempt + A_TWIN] == 0:
        word[attempt + A_HOLDS] += 1
        push(word, real, real[H_NOW] + real[edge + E_HEDGE_S], tick(word), HEDGE, attempt)
    return PENDING


@kernel
def send_at_last(word: Words, real: Reals, attempt: int) -> int:
    """Send an attempt that was granted a connection."""
    word[attempt + A_FATE] = _TIMEOUT
    word[H_TRACE] = word[attempt + A_TRACE]
    return send(word, real, False, word[attempt + A_EDGE], attempt)


@kernel
def failed(word: Words, real: Reals, attempt: int, reason: int) -> int:
    """An attempt somebody waited for has failed: PENDING if the call goes on, else the reason, which is then the call's."""
    edge = word[attempt + A_EDGE]
    count_failure(word, real, edge, attempt, reason)
    word[attempt + A_OPEN] = 0
    if word[attempt + A_TRACE]:
        word[H_TRACE] = word[attempt + A_TRACE]
        sequence, number = word[attempt + A_PARENT_SEQUENCE], word[attempt + A_NUMBER]
        note_failure(word, real, attempt, edge, word[attempt + A_PARENT], sequence, number, reason)
    if word[edge + E_HEDGES] and (word[attempt + A_TWIN] == DECIDED or twin_is_open(word, attempt)):
        return PENDING
    if reason == _DEADLINE or gone(word, attempt):
        return reason
    if retries(word, real, edge, word[attempt + A_NUMBER]):
        word[attempt + A_FATE] = reason
        schedule_retry(word, real, edge, attempt, until_of(word, real, attempt))
        return PENDING
    fallback = word[edge + E_FALLBACK]
    if fallback == 0 or not word[fallback + E_ENABLED]:
        return reason
    return again(word, real, fallback, attempt, 0)


@kernel
def again(word: Words, real: Reals, edge: int, attempt: int, number: int) -> int:
    """Another attempt on behalf of the caller of `attempt`."""
    parent = word[attempt + A_PARENT]
    client = parent == 0
    word[H_TRACE] = word[attempt + A_TRACE]
    born = real[attempt + A_BORN]
    sequence, caller, life, flow = (
        word[attempt + A_PARENT_SEQUENCE],
        word[attempt + A_CALLER],
        word[attempt + A_LIFE],
        word[attempt + A_FLOW],
    )
    word[H_FETCH] = word[attempt + A_FETCH]
    reason: int = attempt_call(word, real, client, edge, parent, sequence, caller, flow, number, born, caller, life)
    word[H_FETCH] = 0
    return reason
