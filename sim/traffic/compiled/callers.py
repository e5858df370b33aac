"""The caller's side of a call in the kernel: the twin of `sim.traffic.attempts`, `breaker` and `balancing`.

The rule that surprises: a record is held by everyone who may still look at it (A_HOLDS) and reused when nobody does. A child refers to
its parent by position and sequence, so it can tell that the parent has gone without keeping it.
"""

from __future__ import annotations

from sim.traffic.compiled.balancing import balance
from sim.traffic.compiled.jit import Reals, Words, kernel, part
from sim.traffic.compiled.layout import (
    A_BORN,
    A_CALLER,
    A_EDGE,
    A_ENTERED,
    A_EPOCH,
    A_FATE,
    A_FLOW,
    A_HOLDS,
    A_INSTANCE,
    A_LIFE,
    A_NUMBER,
    A_OPEN,
    A_OUTCOME,
    A_PARENT,
    A_PARENT_SEQUENCE,
    A_PATH,
    A_POSITION,
    A_PRIORITY,
    A_SEQUENCE,
    A_STAGE,
    A_TRACE,
    A_USER,
    ANSWER,
    B_ACTIVE,
    CALLING,
    E_ASYNCHRONOUS,
    E_ATTEMPTS,
    E_BACKOFF,
    E_BACKOFF_CAP,
    E_BACKOFF_DRAWS,
    E_BREAKER,
    E_BUDGET,
    E_BURST,
    E_CUT,
    E_EARN,
    E_EARNS,
    E_ENABLED,
    E_EPOCH,
    E_FAILURES,
    E_FALLBACK,
    E_LOSS_DRAWS,
    E_RETRIED,
    E_RETRIES,
    E_RING,
    E_SINGLE,
    E_SKIPPED,
    E_STATE,
    E_TIMEOUT,
    F_BUCKET,
    F_PRIORITY,
    F_ROW,
    H_ENTERED,
    H_NOW,
    H_TRACE,
    I_COLUMN,
    I_FROZEN,
    I_LIFE,
    I_ROW,
    NOWHERE,
    P_BACK_CUT,
    P_BACK_LOSS,
    P_CLEAR_BACK,
    P_CLEAR_THERE,
    P_DELAY,
    P_THERE_CUT,
    P_THERE_LOSS,
    PENDING,
    RETRY,
    T_STATION,
)
from sim.traffic.compiled.policies import breaker_failed, choose, lets_through, take_token
from sim.traffic.compiled.primitives import add_timer, draw, give_back, mark, push, put_in_mail, take, tick
from sim.traffic.compiled.visits import receive
from sim.traffic.marks import FAILED, SENT
from sim.traffic.plan import Reason

_BREAKER_OPEN, _DNS, _NO_ROUTE, _RATE_LIMITED = map(int, (Reason.BREAKER_OPEN, Reason.DNS, Reason.NO_ROUTE, Reason.RATE_LIMITED))
_PARTITIONED, _PACKET_LOSS, _TIMEOUT = map(int, (Reason.PARTITIONED, Reason.PACKET_LOSS, Reason.TIMEOUT))
_LONGEST_DOUBLING = 60
_ROUNDING = 1e-9
_NO_TARGET = 0


@part
def lost(word: Words, real: Reals, attempt: int, cut: int, loss_ratio: float) -> bool:
    """Whether the network swallows a message of this attempt now."""
    if cut:
        word[attempt + A_FATE] = _PARTITIONED
        return True
    if loss_ratio > 0.0 and draw(word, real, word[attempt + A_EDGE] + E_LOSS_DRAWS) < loss_ratio:
        word[attempt + A_FATE] = _PACKET_LOSS
        return True
    return False


@kernel
def answer_now(word: Words, real: Reals, attempt: int, outcome: int) -> bool:
    """Send the callee's answer: True if the caller has it at once, False if it travels, waits, or is lost."""
    path = word[attempt + A_PATH]
    if not word[path + P_CLEAR_BACK] and lost(word, real, attempt, word[path + P_BACK_CUT], real[path + P_BACK_LOSS]):
        return False
    word[attempt + A_OUTCOME] = outcome
    if real[path + P_DELAY] > 0.0:
        word[attempt + A_HOLDS] += 1
        push(word, real, real[H_NOW] + real[path + P_DELAY], tick(word), ANSWER, attempt)
        return False
    if word[attempt + A_PARENT]:
        caller = word[attempt + A_CALLER]
        if word[caller + I_FROZEN]:
            word[attempt + A_HOLDS] += 1
            put_in_mail(word, caller, ANSWER, attempt)
            return False
    return True


@kernel
def answer_later(word: Words, real: Reals, attempt: int, outcome: int) -> bool:
    """Send the callee's answer as an event of its own, which becomes a holder of the attempt; False if the network loses it."""
    path = word[attempt + A_PATH]
    if not word[path + P_CLEAR_BACK] and lost(word, real, attempt, word[path + P_BACK_CUT], real[path + P_BACK_LOSS]):
        return False
    word[attempt + A_OUTCOME] = outcome
    word[attempt + A_HOLDS] += 1
    push(word, real, real[H_NOW] + real[path + P_DELAY], tick(word), ANSWER, attempt)
    return True


@part
def gone(word: Words, attempt: int) -> bool:
    """Whether nobody will use the outcome: the calling visit is over, or (asynchronous) its process has died."""
    parent = word[attempt + A_PARENT]
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
def schedule_retry(word: Words, real: Reals, edge: int, attempt: int) -> None:
    """Put the end of a backoff on the heap; the heap becomes a holder of the attempt."""
    if word[edge + E_EARNS]:
        left = real[edge + E_BUDGET] - 1.0
        real[edge + E_BUDGET] = max(left, 0.0)
    factor = 1.0
    for _ in range(min(word[attempt + A_NUMBER], _LONGEST_DOUBLING)):
        factor *= 2.0
    longest_s = min(real[edge + E_BACKOFF] * factor, real[edge + E_BACKOFF_CAP])
    delay_s = longest_s * draw(word, real, edge + E_BACKOFF_DRAWS) if longest_s > 0.0 else 0.0
    word[attempt + A_HOLDS] += 1
    push(word, real, real[H_NOW] + delay_s, tick(word), RETRY, attempt)


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
    return attempt


@kernel
def note_sent(word: Words, real: Reals, attempt: int) -> None:
    """Mark an attempt of the traced request that leaves its caller."""
    parent = word[attempt + A_PARENT_SEQUENCE] if word[attempt + A_PARENT] else 0
    sequence, edge, instance = word[attempt + A_SEQUENCE], word[attempt + A_EDGE], word[attempt + A_INSTANCE]
    mark(word, real, SENT, word[H_TRACE], sequence, parent, edge, instance, word[attempt + A_NUMBER], 0)


@kernel
def note_failure(
    word: Words, real: Reals, attempt: int, edge: int, parent: int, parent_sequence: int, number: int, reason: int
) -> None:
    """Mark an attempt of the traced request that has failed; one that never left its caller has no record (0)."""
    sequence = word[attempt + A_SEQUENCE] if attempt else 0
    mark(word, real, FAILED, word[H_TRACE], sequence, parent_sequence if parent else 0, edge, 0, number, reason)


@part
def send(word: Words, real: Reals, attempt: int) -> int:
    """Number an attempt and let its caller wait for it."""
    sequence = tick(word)
    word[attempt + A_SEQUENCE] = sequence
    word[attempt + A_OPEN] = sequence
    word[attempt + A_HOLDS] = 1
    if word[H_TRACE]:
        note_sent(word, real, attempt)
    return sequence


@part
def attempt_call(  # noqa: C901 (the hot path, in one piece like its twin)
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
    now = real[H_NOW]
    row = word[flow + F_ROW] if client else word[caller + I_ROW]
    while True:
        reason = PENDING
        attempt = 0
        epoch = 0
        skipped = False
        if word[edge + E_BREAKER]:
            if word[edge + E_STATE] and not lets_through(word, real, edge):
                word[edge + E_SKIPPED] += 1
                reason = _BREAKER_OPEN
                skipped = True
            epoch = word[edge + E_EPOCH]
        if not skipped:
            word[edge + E_ATTEMPTS] += 1
            if number:
                word[edge + E_RETRIED] += 1
            elif word[edge + E_EARNS]:
                budget = real[edge + E_BUDGET] + real[edge + E_EARN]
                real[edge + E_BUDGET] = min(budget, real[edge + E_BURST])
            if client:
                bucket = word[flow + F_BUCKET]
                if word[bucket + B_ACTIVE] and not take_token(real, bucket):
                    reason = _RATE_LIMITED
            target = word[edge + E_SINGLE]
            if reason == PENDING and target == _NO_TARGET:
                target = choose(word, real, edge)
                if target < 0:
                    reason = -1 - target
            if reason == PENDING:
                station = word[target + T_STATION]
                instance = balance(word, real, edge, station, target, 0 if client else caller)
                if instance == 0:
                    reason = _NO_ROUTE
                else:
                    attempt = begin(word, real, client, edge, parent, parent_sequence, caller, flow, number, born, user, entered)
                    word[attempt + A_EPOCH] = epoch
                    word[attempt + A_INSTANCE] = instance
                    path = row + word[instance + I_COLUMN]
                    word[attempt + A_PATH] = path
                    sequence = send(word, real, attempt)
                    if word[edge + E_CUT]:
                        word[attempt + A_FATE] = _PARTITIONED
                    elif word[path + P_CLEAR_THERE] or not lost(
                        word, real, attempt, word[path + P_THERE_CUT], real[path + P_THERE_LOSS]
                    ):
                        if client:
                            entered = station
                            word[attempt + A_ENTERED] = station
                        refusal = receive(word, real, attempt, edge, instance, station)
                        if refusal != PENDING and answer_now(word, real, attempt, refusal):
                            reason = refusal
                    if reason == PENDING:
                        add_timer(word, real, word[edge + E_RING], now + real[edge + E_TIMEOUT], sequence, attempt)
                        if client:
                            word[H_ENTERED] = entered
                        return PENDING
                    word[attempt + A_OPEN] = 0
                    word[attempt + A_HOLDS] = 0
            word[edge + E_FAILURES] += 1
            if word[edge + E_BREAKER]:
                breaker_failed(word, real, edge, epoch)
        if client:
            word[H_ENTERED] = entered
        if word[H_TRACE]:
            note_failure(word, real, attempt, edge, parent, parent_sequence, number, reason)
        if retries(word, real, edge, number):
            if attempt == 0:
                attempt = begin(word, real, client, edge, parent, parent_sequence, caller, flow, number, born, user, entered)
            schedule_retry(word, real, edge, attempt)
            return PENDING
        if attempt:
            give_back(word, attempt)
        fallback = word[edge + E_FALLBACK]
        if fallback == 0 or not word[fallback + E_ENABLED]:
            return reason
        edge = fallback
        number = 0


@kernel
def failed(word: Words, real: Reals, attempt: int, reason: int) -> int:
    """An attempt somebody waited for has failed: PENDING if the call goes on, else the reason, which is then the call's."""
    edge = word[attempt + A_EDGE]
    word[edge + E_FAILURES] += 1
    if word[edge + E_BREAKER]:
        breaker_failed(word, real, edge, word[attempt + A_EPOCH])
    word[attempt + A_OPEN] = 0
    if word[attempt + A_TRACE]:
        word[H_TRACE] = word[attempt + A_TRACE]
        sequence, number = word[attempt + A_PARENT_SEQUENCE], word[attempt + A_NUMBER]
        note_failure(word, real, attempt, edge, word[attempt + A_PARENT], sequence, number, reason)
    if gone(word, attempt):
        return reason
    if retries(word, real, edge, word[attempt + A_NUMBER]):
        schedule_retry(word, real, edge, attempt)
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
    return attempt_call(word, real, client, edge, parent, sequence, caller, flow, number, born, caller, life)
