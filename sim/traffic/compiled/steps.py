"""What happens to a call step by step: one function per step, each naming the step that follows.

In the plain engine a finished visit settles its call, which finishes the calling visit, and so on upwards, by calls that are all the
last thing their caller does. Here each is a step of a machine instead. The rule that surprises: between any two steps the machine may
go back to Python, when something runs short, and come back as if nothing had been; so a step never loops without looking at H_STOP.
"""

from __future__ import annotations

from sim.traffic.compiled.answering import answer_now
from sim.traffic.compiled.caches import fetched, keep, learn
from sim.traffic.compiled.calendar_queue import schedule
from sim.traffic.compiled.callers import again, failed, gone, send_at_last
from sim.traffic.compiled.clients import BUCKETS, bucket_of, root_over
from sim.traffic.compiled.ejecting import judge
from sim.traffic.compiled.gates import call_off, let_go, until_of
from sim.traffic.compiled.hedging import hedge
from sim.traffic.compiled.jit import Reals, Words, kernel, part
from sim.traffic.compiled.kin import RUNNING, unlink
from sim.traffic.compiled.layout import (
    A_ARRIVED_AT,
    A_BORN,
    A_CALLER,
    A_CHILDREN,
    A_EDGE,
    A_ENTERED,
    A_EPOCH,
    A_FATE,
    A_FETCH,
    A_FLOW,
    A_HELD_SINCE,
    A_HOLDS,
    A_INSTANCE,
    A_NUMBER,
    A_OPEN,
    A_OUTCOME,
    A_PARENT,
    A_PARENT_SEQUENCE,
    A_PENDING,
    A_POSITION,
    A_SEQUENCE,
    A_STAGE,
    A_TRACE,
    A_UNTIL,
    A_USER,
    ANSWER,
    CALLING,
    COMMITTING,
    CONNECTED,
    DONE,
    E_ASYNCHRONOUS,
    E_BREAKER,
    E_CANCEL,
    E_FAILURES_IN_ROW,
    E_GUARDED,
    E_HEDGES,
    E_OPERATION,
    E_REQUIRED,
    E_STATE,
    E_WINDOW,
    F_CLASS,
    F_PROPAGATES,
    H_ENTERED,
    H_NOW,
    H_OUTLIERS,
    H_RESERVE,
    H_STOP,
    H_THEN,
    H_TRACE,
    HEDGE,
    I_ERRORS,
    I_FROZEN,
    I_LIMITER,
    I_QUEUED,
    I_ROOM,
    I_RUNNING,
    I_STATION,
    JOINED,
    OK,
    PARKED,
    PENDING,
    QUEUED,
    READ,
    RETRY,
    S_BROKER,
    S_BUSY_S,
    S_CANCELS,
    S_COMMIT_BLOCKED,
    S_COMMIT_DELAY,
    S_COMPLETED,
    S_DEAD_LETTERS,
    S_DROPS,
    S_ERRORS,
    S_FAILED,
    S_KEEPS_WRITES,
    S_LATENCY,
    S_LOG,
    S_LOG_BASE,
    S_LOG_COUNT,
    S_LOG_FLAGS,
    S_LOG_LIMIT,
    S_PARALLEL,
    S_READS,
    S_WASTED,
    S_WRITES_ACKNOWLEDGED,
    S_WRITES_INDETERMINATE,
    STOP_FOR_ROOM,
    TIMER,
    WAITED,
    WAITING,
    WORKING,
    WRITE,
)
from sim.traffic.compiled.limiting import answered
from sim.traffic.compiled.policies import breaker_succeeded
from sim.traffic.compiled.primitives import draw, mark, put_in_mail, release, tick
from sim.traffic.compiled.queueing import drop, next_in_queue, overdue
from sim.traffic.compiled.stepping import CALL_OVER, COMMITTED, FINISH, FORSAKE, IDLE, LEAVE, NEXT_CALL, PUMP, SETTLE, Step
from sim.traffic.compiled.visits import leave_queue, start, stop
from sim.traffic.compiled.withdrawing import tell, unqueue, wins
from sim.traffic.marks import LEFT, SETTLED
from sim.traffic.plan import Reason

_DEADLINE, _DROPPED, _ERROR, _TIMEOUT = map(int, (Reason.DEADLINE, Reason.DROPPED, Reason.ERROR, Reason.TIMEOUT))

# The caller's side


@part
def deliver(word: Words, real: Reals, attempt: int, kind: int) -> Step:  # noqa: C901 (a case per kind)
    """An answer, a timeout or the end of a backoff reaches the caller, or its mailbox while it is frozen. Takes over one hold."""
    if word[attempt + A_PARENT] and word[word[attempt + A_CALLER] + I_FROZEN]:
        put_in_mail(word, word[attempt + A_CALLER], kind, attempt)
        return IDLE, 0, 0
    if kind == RETRY:
        if not gone(word, attempt):
            reason = again(word, real, word[attempt + A_EDGE], attempt, word[attempt + A_NUMBER] + 1)
            if reason != PENDING:
                return CALL_OVER, attempt, reason
        elif word[attempt + A_FETCH]:
            fetched(word, real, attempt, word[attempt + A_FATE])
        release(word, attempt)
        return IDLE, 0, 0
    if not word[attempt + A_OPEN]:
        release(word, attempt)
        return IDLE, 0, 0
    release(word, attempt)  # waiting for it is another hold
    if kind == HEDGE:
        hedge(word, real, attempt)
        return IDLE, 0, 0
    if word[attempt + A_STAGE] == JOINED:
        return CALL_OVER, attempt, learn(word, real, attempt)
    if kind > TIMER:
        return wait_over(word, real, attempt, kind)
    if kind == ANSWER:
        return SETTLE, attempt, word[attempt + A_OUTCOME]
    return abandon(word, real, attempt)


@kernel
def wait_over(word: Words, real: Reals, attempt: int, kind: int) -> Step:
    """The longest wait for a connection is over, or it was granted one."""
    if kind == WAITED:
        if word[attempt + A_STAGE] == WAITING:
            return SETTLE, attempt, word[attempt + A_FATE]
    elif word[attempt + A_STAGE] == CONNECTED:
        if gone(word, attempt):
            call_off(word, real, attempt)
            release(word, attempt)
        elif real[H_NOW] >= until_of(word, real, attempt):
            return SETTLE, attempt, _DEADLINE
        else:
            reason = send_at_last(word, real, attempt)
            if reason != PENDING:
                outcome = failed(word, real, attempt, reason)
                if outcome != PENDING:
                    return CALL_OVER, attempt, outcome
                release(word, attempt)
    return IDLE, 0, 0


@kernel
def abandon(word: Words, real: Reals, attempt: int) -> Step:
    """The caller has given up: drop what need not be done any more; a committed write stays, unacknowledged."""
    instance = word[attempt + A_INSTANCE]
    station = word[instance + I_STATION]
    stage = word[attempt + A_STAGE]
    if word[attempt + A_POSITION] >= 0:
        word[station + S_WRITES_INDETERMINATE] += 1
    elif stage == QUEUED and word[word[attempt + A_EDGE] + E_CANCEL]:
        unqueue(word, attempt)
    elif stage == PARKED and not word[instance + I_FROZEN]:
        if word[word[attempt + A_EDGE] + E_CANCEL] == RUNNING:
            unlink(word, attempt)
        word[attempt + A_OPEN] = 0
        word[H_THEN] = 1
        return LEAVE, attempt, _TIMEOUT
    elif stage in (WORKING, CALLING) and word[word[attempt + A_EDGE] + E_CANCEL] == RUNNING:
        tell(word, real, attempt)
    return SETTLE, attempt, word[attempt + A_FATE]


@part
def settle(word: Words, real: Reals, attempt: int, outcome: int) -> Step:  # noqa: C901 (a case per policy)
    """The caller learns the outcome of an attempt it waits for: breaker first, then the retry decision."""
    if word[attempt + A_PARENT] == 0:
        word[H_ENTERED] = word[attempt + A_ENTERED]
    if word[H_OUTLIERS] and word[attempt + A_STAGE] < WAITING:
        judge(word, real, attempt, outcome)
    if outcome == OK:
        edge = word[attempt + A_EDGE]
        if word[edge + E_CANCEL] == RUNNING:
            unlink(word, attempt)
        word[attempt + A_OPEN] = 0
        if word[attempt + A_TRACE]:
            mark(word, real, SETTLED, word[attempt + A_TRACE], word[attempt + A_SEQUENCE], 0, 0, 0, 0, OK)
        if word[edge + E_BREAKER] and (word[edge + E_STATE] or word[edge + E_FAILURES_IN_ROW] or word[edge + E_WINDOW]):
            breaker_succeeded(word, real, edge, word[attempt + A_EPOCH])
        if word[edge + E_GUARDED]:
            let_go(word, real, attempt)
        if word[attempt + A_POSITION] >= 0:
            acknowledge(word, attempt)
        if word[attempt + A_FETCH]:
            keep(word, real, attempt)
            fetched(word, real, attempt, OK)
        if word[edge + E_HEDGES] and not wins(word, real, attempt):
            release(word, attempt)
            return IDLE, 0, 0
    else:
        outcome = failed(word, real, attempt, outcome)
        if outcome == PENDING:
            release(word, attempt)
            return IDLE, 0, 0
    return CALL_OVER, attempt, outcome


@kernel
def acknowledge(word: Words, attempt: int) -> None:
    """The answer to a committed write has come in time, if anybody is left to hear it."""
    station = word[word[attempt + A_INSTANCE] + I_STATION]
    if gone(word, attempt):
        word[station + S_WRITES_INDETERMINATE] += 1
        return
    word[station + S_WRITES_ACKNOWLEDGED] += 1
    position = word[attempt + A_POSITION] - word[station + S_LOG_BASE]
    if position >= 0:
        word[word[station + S_LOG_FLAGS] + position] = 1


@part
def call_over(word: Words, real: Reals, attempt: int, outcome: int) -> Step:
    """A logical call has its final outcome; its caller goes on, fails, or does not care any more."""
    parent = word[attempt + A_PARENT]
    if parent == 0:
        flow, user, born = word[attempt + A_FLOW], word[attempt + A_USER], real[attempt + A_BORN]
        word[H_TRACE] = word[attempt + A_TRACE]
        release(word, attempt)
        root_over(word, real, flow, user, born, word[H_ENTERED], outcome)
        return IDLE, 0, 0
    if word[attempt + A_FETCH]:
        fetched(word, real, attempt, outcome)
    edge = word[attempt + A_EDGE]
    present = word[parent + A_SEQUENCE] == word[attempt + A_PARENT_SEQUENCE] and word[parent + A_STAGE] == CALLING
    release(word, attempt)
    if word[edge + E_ASYNCHRONOUS] or not present:
        return IDLE, 0, 0
    if outcome != OK and word[edge + E_REQUIRED]:
        return FINISH, parent, outcome
    if word[word[word[parent + A_INSTANCE] + I_STATION] + S_PARALLEL]:
        left = word[parent + A_PENDING] - 1
        word[parent + A_PENDING] = left
        if left:
            return IDLE, 0, 0
        return FINISH, parent, OK
    return NEXT_CALL, parent, 0


# The callee's side


@part
def finish(word: Words, real: Reals, attempt: int, outcome: int) -> Step:
    """Work and calls are over with this outcome; an error may be added, a write has to commit first."""
    if outcome == OK:
        instance = word[attempt + A_INSTANCE]
        station = word[instance + I_STATION]
        if real[instance + I_ERRORS] > 0.0 and draw(word, real, station + S_ERRORS) < real[instance + I_ERRORS]:
            return LEAVE, attempt, _ERROR
        if word[station + S_KEEPS_WRITES] and word[word[attempt + A_EDGE] + E_OPERATION] == WRITE:
            if real[station + S_COMMIT_DELAY] > 0.0:
                word[attempt + A_STAGE] = COMMITTING
                due = real[H_NOW] + real[station + S_COMMIT_DELAY]
                schedule(word, real, attempt, due, tick(word))
                return IDLE, 0, 0
            return COMMITTED, attempt, 0
    return LEAVE, attempt, outcome


@part
def committed(word: Words, real: Reals, attempt: int) -> Step:
    """The commit wait is over: write the log and answer, or park while commits are blocked."""
    station = word[word[attempt + A_INSTANCE] + I_STATION]
    if not word[station + S_COMMIT_BLOCKED]:
        count = word[station + S_LOG_COUNT]
        word[attempt + A_POSITION] = word[station + S_LOG_BASE] + count
        real[word[station + S_LOG] + count] = real[H_NOW]
        word[word[station + S_LOG_FLAGS] + count] = 0
        word[station + S_LOG_COUNT] = count + 1
        if count + word[H_RESERVE] >= word[station + S_LOG_LIMIT]:
            word[H_STOP] |= STOP_FOR_ROOM
        if not word[attempt + A_OPEN]:
            word[station + S_WRITES_INDETERMINATE] += 1
        return LEAVE, attempt, OK
    if word[attempt + A_OPEN]:
        word[attempt + A_STAGE] = PARKED
        return IDLE, 0, 0
    return LEAVE, attempt, _TIMEOUT


@part
def leave(word: Words, real: Reals, attempt: int, outcome: int) -> Step:
    """Free the slot and count what became of the visit."""
    instance = word[attempt + A_INSTANCE]
    station = word[instance + I_STATION]
    stop(word, attempt, instance)
    word[attempt + A_STAGE] = DONE
    real[station + S_BUSY_S] += real[H_NOW] - real[attempt + A_HELD_SINCE]
    if word[attempt + A_TRACE]:
        mark(word, real, LEFT, word[attempt + A_TRACE], word[attempt + A_SEQUENCE], 0, 0, 0, 0, outcome)
    if outcome == OK:
        word[station + S_COMPLETED] += 1
        if not word[attempt + A_OPEN] and not word[station + S_BROKER]:
            word[station + S_WASTED] += 1
        histogram = word[station + S_LATENCY] + BUCKETS * word[word[attempt + A_FLOW] + F_CLASS]
        word[histogram + bucket_of(word, real, real[H_NOW] - real[attempt + A_ARRIVED_AT])] += 1
        if word[word[attempt + A_EDGE] + E_OPERATION] == READ:
            word[station + S_READS] += 1
        if word[instance + I_LIMITER]:
            answered(word, real, word[instance + I_LIMITER], real[H_NOW] - real[attempt + A_ARRIVED_AT])
    else:
        word[station + S_FAILED] += 1
        word[station + S_DEAD_LETTERS] += word[station + S_BROKER]
    if word[station + S_CANCELS] and word[attempt + A_CHILDREN]:
        return FORSAKE, attempt, outcome
    return PUMP, attempt, outcome


@kernel
def pump(word: Words, real: Reals, instance: int) -> bool:
    """Fill free slots from the queue; False if it has to be continued."""
    while word[instance + I_QUEUED] and word[instance + I_RUNNING] < word[instance + I_ROOM]:
        if word[H_STOP]:
            return False
        station = word[instance + I_STATION]
        attempt = next_in_queue(word, instance, station)
        leave_queue(word, attempt, instance)
        if word[word[attempt + A_EDGE] + E_CANCEL] and gone(word, attempt):
            word[attempt + A_STAGE] = DONE
            word[station + S_FAILED] += 1
            release(word, attempt)
        elif word[station + S_DROPS] and overdue(word, real, attempt, instance, station):
            drop(word, real, attempt, station, _DROPPED)
        elif word[word[attempt + A_FLOW] + F_PROPAGATES] and real[H_NOW] >= real[attempt + A_UNTIL]:
            drop(word, real, attempt, station, _DEADLINE)
        else:
            start(word, real, attempt, instance, station)
    return True


@part
def pump_and_answer(word: Words, real: Reals, attempt: int, outcome: int) -> Step:
    """Start who waits for the slot, and answer. The visit no longer holds the record."""
    instance = word[attempt + A_INSTANCE]
    if word[instance + I_QUEUED] and not pump(word, real, instance):
        return PUMP, attempt, outcome
    if word[attempt + A_OPEN] and not word[word[word[attempt + A_INSTANCE] + I_STATION] + S_BROKER]:
        answered = answer_now(word, real, attempt, outcome)
        word[attempt + A_HOLDS] -= 1  # the caller waits, so somebody still holds it
        if answered:
            return SETTLE, attempt, outcome
        return IDLE, 0, 0
    if word[H_THEN]:
        word[H_THEN] = 0
        release(word, attempt)
        return SETTLE, attempt, word[attempt + A_FATE]
    release(word, attempt)
    return IDLE, 0, 0
