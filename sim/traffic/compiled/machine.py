"""The function Python calls, and the loop in it that runs events or the consequences of a change.

The rule that surprises: the loop returns SHORT when a buffer runs low, with its registers in the header; Python provides and calls
again, and the run goes on in the middle of whatever it was doing.
"""

from __future__ import annotations

from sim.traffic.compiled.answering import answer_now
from sim.traffic.compiled.balancing import rotate
from sim.traffic.compiled.calendar_queue import schedule, take_soonest
from sim.traffic.compiled.callers import attempt_call
from sim.traffic.compiled.calling import call_all, next_call, worked
from sim.traffic.compiled.clients import draw_next, root_over, schedule_switch, set_factor, switch, think_all
from sim.traffic.compiled.ejecting import readmit
from sim.traffic.compiled.faults import freeze, kill
from sim.traffic.compiled.gauging import measure, watched
from sim.traffic.compiled.jit import Reals, Words, bits_of, kernel, part
from sim.traffic.compiled.layout import (
    A_CHILDREN,
    A_DUE,
    A_HOLDS,
    A_INSTANCE,
    A_NEXT,
    A_OPEN,
    A_SEQUENCE,
    A_STAGE,
    A_TOKEN,
    ANSWER,
    ARRIVAL,
    CANCEL,
    COMMITTING,
    DUE,
    F_BURSTY,
    F_ENTRY,
    F_OFFERED,
    F_TOKEN,
    F_TRACE_EVERY,
    FOR_THAW,
    H_AGENDA_KIND,
    H_AGENDA_MAIL,
    H_ASKED,
    H_ATTEMPT,
    H_CRASHED,
    H_ENTERED,
    H_HEAP,
    H_HOLE,
    H_MAIL_COUNT,
    H_MAIL_FREE,
    H_NOW,
    H_NUMBER,
    H_OPERATION,
    H_OUTCOME,
    H_SCRATCH_AT,
    H_SCRATCH_END,
    H_SOONEST,
    H_STOP,
    H_SUBJECT,
    H_TRACE,
    H_TRACED,
    H_WATCH_COUNT,
    I_FROZEN,
    I_STATION,
    M_ATTEMPT,
    M_KIND,
    M_NEXT,
    PARKED,
    PENDING,
    RETRY,
    RETURN,
    S_CANCELS,
    S_COMMIT_BLOCKED,
    S_FAILED,
    SWITCH,
    TIMER,
    U_FLOW,
    U_THINKING,
    U_TOKEN,
    WORK,
    WORKING,
)
from sim.traffic.compiled.primitives import fill_hole, mark, release, ring, tick
from sim.traffic.compiled.stepping import (
    ADVANCE,
    CALL_OVER,
    COMMITTED,
    DELIVER,
    FILL,
    FINISH,
    FINISHED,
    FIRST_ARRIVAL,
    FORSAKE,
    FREEZE,
    GAUGE,
    IDLE,
    KILL,
    LEAVE,
    NEXT_CALL,
    PARALLEL,
    PUMP,
    ROTATE,
    SET_FACTOR,
    SETTLE,
    SHORT,
    WATCHED,
    WORK_OFF,
    WORKED,
    Step,
)
from sim.traffic.compiled.steps import call_over, committed, deliver, finish, leave, pump, pump_and_answer, settle
from sim.traffic.compiled.withdrawing import forsake, give_up, withdraw
from sim.traffic.marks import ENTERED
from sim.traffic.plan import Reason

_CRASHED, _TIMEOUT = int(Reason.CRASHED), int(Reason.TIMEOUT)


@part
def enter(word: Words, real: Reals, flow: int, user: int) -> None:
    """A request enters the system."""
    word[flow + F_OFFERED] += 1
    now = real[H_NOW]
    word[H_TRACE] = 0
    if word[flow + F_TRACE_EVERY] and word[flow + F_OFFERED] % word[flow + F_TRACE_EVERY] == 0:
        word[H_TRACED] += 1
        word[H_TRACE] = word[H_TRACED]
        mark(word, real, ENTERED, word[H_TRACE], 0, 0, flow, 0, 0, 0)
    reason = attempt_call(word, real, True, word[flow + F_ENTRY], 0, 0, 0, flow, 0, now, user, 0)
    if reason != PENDING:
        root_over(word, real, flow, user, now, word[H_ENTERED], reason)


@part
def next_event(word: Words, real: Reals, until: float) -> Step:  # noqa: C901 (a case per kind)
    """Take the next event up to and including `until`, or stop there."""
    if word[H_HOLE]:
        fill_hole(word)
    if word[H_WATCH_COUNT] and watched(word, real, until):
        return FINISHED, 0, WATCHED
    heap, soonest = word[H_HEAP], word[H_SOONEST]
    first, due = word[heap], word[soonest + A_DUE]  # the bits of times order like the times
    if due < first or (due == first and word[soonest + A_TOKEN] < word[heap + 1] >> 29):
        if due > bits_of(until):
            real[H_NOW] = until
            return FINISHED, 0, 0
        word[H_NOW] = due
        take_soonest(word, soonest)
        return WORKED, soonest, 0
    if first > bits_of(until):
        real[H_NOW] = until
        return FINISHED, 0, 0
    word[H_NOW] = first
    key = word[heap + 1]
    word[H_HOLE] = 1
    sequence = key >> 29
    kind = (key >> 25) & 15
    subject = (key & 0x1FFFFFF) << 3
    if kind == WORK:
        if word[subject + A_TOKEN] == sequence:  # else it was killed or frozen meanwhile
            return WORKED, subject, 0
    elif kind == ANSWER or kind == RETRY:  # noqa: PLR1714, SIM109 (compiles to less)
        return DELIVER, subject, kind
    elif kind == TIMER:
        late = ring(word, real, subject, sequence)
        if late:
            word[late + A_HOLDS] += 1
            return DELIVER, late, TIMER
    elif kind == DUE:
        if word[subject + A_OPEN] == sequence:
            return DELIVER, subject, TIMER
        release(word, subject)
    elif kind == RETURN:
        readmit(word, real, subject)
    elif kind == CANCEL:
        return withdraw(word, subject)
    elif kind > DUE:
        return DELIVER, subject, kind
    elif kind == ARRIVAL:
        if word[subject + F_TOKEN] == sequence:  # else the flow's rate has changed meanwhile
            draw_next(word, real, subject)
            enter(word, real, subject, 0)
    elif kind == SWITCH:
        switch(word, real, subject)
    elif word[subject + U_TOKEN] == sequence:
        word[subject + U_THINKING] = 0
        enter(word, real, word[subject + U_FLOW], subject)
    return IDLE, 0, 0


@part
def next_duty(word: Words, real: Reals) -> Step:
    """The next thing a change has left to do: the dead fail, the held go on, the mail is read. In this order."""
    attempt = word[H_CRASHED]
    if attempt:
        if word[word[word[attempt + A_INSTANCE] + I_STATION] + S_CANCELS] and word[attempt + A_CHILDREN]:
            give_up(word, real, word[attempt + A_CHILDREN])
            return IDLE, 0, 0
        word[H_CRASHED] = word[attempt + A_NEXT]
        word[word[word[attempt + A_INSTANCE] + I_STATION] + S_FAILED] += 1
        answered = word[attempt + A_OPEN] and answer_now(word, real, attempt, _CRASHED)
        release(word, attempt)
        if answered:
            return SETTLE, attempt, _CRASHED
        return IDLE, 0, 0
    if word[H_SCRATCH_AT] < word[H_SCRATCH_END]:
        at = word[H_SCRATCH_AT]
        word[H_SCRATCH_AT] = at + 2
        attempt = word[at]
        if word[attempt + A_SEQUENCE] == word[at + 1]:
            return go_on(word, real, attempt)
        return IDLE, 0, 0
    piece = word[H_AGENDA_MAIL]
    if piece:
        word[H_AGENDA_MAIL] = word[piece + M_NEXT]
        word[piece + M_NEXT] = word[H_MAIL_FREE]
        word[H_MAIL_FREE] = piece
        word[H_MAIL_COUNT] += 1
        if word[piece + M_KIND] == CANCEL:
            return withdraw(word, word[piece + M_ATTEMPT])
        return DELIVER, word[piece + M_ATTEMPT], word[piece + M_KIND]
    return FINISHED, 0, 0


@kernel
def go_on(word: Words, real: Reals, attempt: int) -> Step:
    """A visit goes on after a thaw, or a parked one after the end of blocked commits."""
    instance = word[attempt + A_INSTANCE]
    stage = word[attempt + A_STAGE]
    if word[H_AGENDA_KIND] != FOR_THAW:
        if stage == PARKED and not word[instance + I_FROZEN]:
            return COMMITTED, attempt, 0
    elif stage in (WORKING, COMMITTING):
        schedule(word, real, attempt, real[attempt + A_DUE] + real[H_NOW], tick(word))
    elif stage == PARKED and not word[attempt + A_OPEN]:
        return LEAVE, attempt, _TIMEOUT
    elif stage == PARKED and not word[word[instance + I_STATION] + S_COMMIT_BLOCKED]:
        return COMMITTED, attempt, 0
    return IDLE, 0, 0


@part
def run(word: Words, real: Reals, until: float, advancing: bool) -> int:  # noqa: C901 (a case per step)
    """Play step after step. The cases stand in the order in which they usually follow each other."""
    step, attempt, outcome = word[H_OPERATION], word[H_ATTEMPT], word[H_OUTCOME]
    while not word[H_STOP]:
        if step == IDLE:
            if advancing:
                step, attempt, outcome = next_event(word, real, until)
            else:
                step, attempt, outcome = next_duty(word, real)
            if step == FINISHED:
                word[H_OPERATION] = IDLE
                return outcome  # COMPLETE or WATCHED
        if step == DELIVER:
            step, attempt, outcome = deliver(word, real, attempt, outcome)
        if step == WORKED:
            step, attempt, outcome = worked(word, attempt)
        if step == PARALLEL:
            step, attempt, outcome = call_all(word, real, attempt, outcome)
        if step == NEXT_CALL:
            step, attempt, outcome = next_call(word, real, attempt)
        if step == FINISH:
            step, attempt, outcome = finish(word, real, attempt, outcome)
        if step == COMMITTED:
            step, attempt, outcome = committed(word, real, attempt)
        if step == LEAVE:
            step, attempt, outcome = leave(word, real, attempt, outcome)
        if step == FORSAKE:
            step, attempt, outcome = forsake(word, real, attempt, outcome)
        if step == PUMP:
            step, attempt, outcome = pump_and_answer(word, real, attempt, outcome)
        if step == SETTLE:
            step, attempt, outcome = settle(word, real, attempt, outcome)
        if step == CALL_OVER:
            step, attempt, outcome = call_over(word, real, attempt, outcome)
        elif step == FILL and pump(word, real, attempt):  # the attempt is an instance here
            step = IDLE
    word[H_OPERATION], word[H_ATTEMPT], word[H_OUTCOME] = step, attempt, outcome
    return SHORT


@part
def serve(word: Words, real: Reals, value: float) -> int:
    """What Python calls: the header says what for. Everything that can use up draws or room says where it stopped."""
    asked, subject, number = word[H_ASKED], word[H_SUBJECT], word[H_NUMBER]
    if asked <= WORK_OFF:
        return run(word, real, value, asked == ADVANCE)
    if asked == GAUGE:
        measure(word, real, subject, number)
    elif asked == KILL:
        kill(word, real, subject)
    elif asked == FREEZE:
        freeze(word, real, subject)
    elif asked == SET_FACTOR:
        set_factor(word, real, subject, value)
    elif asked == FIRST_ARRIVAL:
        draw_next(word, real, subject)
        if word[subject + F_BURSTY]:
            schedule_switch(word, real, subject)
    elif asked == ROTATE:
        rotate(word, real, subject)
    else:
        return think_all(word, real, subject, number, value)
    return 0
