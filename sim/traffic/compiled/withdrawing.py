"""Cancelling and hedging in the kernel: the twin of `sim.traffic.withdrawing` and of what `sim.traffic.hedging` decides.

The rule that surprises: the calls of a visit that can be given up hang on a list in its record, each as long as its caller waits for it;
a pair of hedged attempts know each other by position and sequence, as children know their parents.
"""

from __future__ import annotations

from sim.traffic.compiled.calendar_queue import call_off_work
from sim.traffic.compiled.gates import call_off
from sim.traffic.compiled.jit import Reals, Words, kernel, part
from sim.traffic.compiled.kin import RUNNING
from sim.traffic.compiled.layout import (
    A_CHILDREN,
    A_EDGE,
    A_HOLDS,
    A_INSTANCE,
    A_OPEN,
    A_PATH,
    A_POSITION,
    A_STAGE,
    A_TWIN,
    A_TWIN_SEQUENCE,
    CALLING,
    CANCEL,
    CONNECTED,
    DONE,
    E_CANCEL,
    E_CUT,
    H_NOW,
    H_STOP,
    I_FROZEN,
    I_STATION,
    P_THERE_CUT,
    PARKED,
    QUEUED,
    S_FAILED,
    S_WRITES_INDETERMINATE,
    WAITING,
    WORKING,
)
from sim.traffic.compiled.primitives import push, put_in_mail, release, tick
from sim.traffic.compiled.stepping import FORSAKE, IDLE, LEAVE, PUMP, Step
from sim.traffic.compiled.visits import leave_queue
from sim.traffic.plan import Reason

DECIDED = -1  # instead of a twin: it has won
_TIMEOUT = int(Reason.TIMEOUT)


@part
def forsake(word: Words, real: Reals, visit: int, outcome: int) -> Step:
    """A visit is over before its calls: give them up, then go on with its slot."""
    while word[visit + A_CHILDREN]:
        if word[H_STOP]:
            return FORSAKE, visit, outcome
        give_up(word, real, word[visit + A_CHILDREN])
    return PUMP, visit, outcome


@kernel
def give_up(word: Words, real: Reals, attempt: int) -> None:
    """The caller has no use for this attempt any more, and holds it no longer."""
    call_off(word, real, attempt)
    stage = word[attempt + A_STAGE]
    if word[attempt + A_POSITION] >= 0:
        word[word[word[attempt + A_INSTANCE] + I_STATION] + S_WRITES_INDETERMINATE] += 1
    elif stage == QUEUED:
        unqueue(word, attempt)
    elif stage in (WORKING, CALLING, PARKED):
        tell(word, real, attempt)
    release(word, attempt)


@kernel
def unqueue(word: Words, attempt: int) -> None:
    """Take an attempt out of its queue."""
    instance = word[attempt + A_INSTANCE]
    word[attempt + A_STAGE] = DONE
    word[word[instance + I_STATION] + S_FAILED] += 1
    leave_queue(word, attempt, instance)
    release(word, attempt)


@kernel
def tell(word: Words, real: Reals, attempt: int) -> None:
    """Tell the callee that it works in vain, if it can be reached."""
    if word[word[attempt + A_EDGE] + E_CUT] or word[word[attempt + A_PATH] + P_THERE_CUT]:
        return
    word[attempt + A_HOLDS] += 1
    push(word, real, real[H_NOW], tick(word), CANCEL, attempt)


@kernel
def withdraw(word: Words, attempt: int) -> Step:
    """The callee learns it: work and waiting end, and the slot is free. Takes over one hold."""
    instance = word[attempt + A_INSTANCE]
    if word[instance + I_FROZEN]:
        put_in_mail(word, instance, CANCEL, attempt)
        return IDLE, 0, 0
    stage = word[attempt + A_STAGE]
    release(word, attempt)
    if stage in (WORKING, CALLING, PARKED):
        if stage == WORKING:
            call_off_work(word, attempt)
        return LEAVE, attempt, _TIMEOUT
    return IDLE, 0, 0


# Hedging


@part
def twin_is_open(word: Words, attempt: int) -> bool:
    """Whether the other attempt of a hedged pair, if there is one, is still waited for."""
    twin = word[attempt + A_TWIN]
    waited_for: bool = twin > 0 and word[twin + A_OPEN] == word[attempt + A_TWIN_SEQUENCE]
    return waited_for


@kernel
def wins(word: Words, real: Reals, attempt: int) -> bool:
    """Whether a good answer decides the call: then the other attempt is cancelled, or runs on without deciding anything."""
    if word[attempt + A_TWIN] == DECIDED:
        return False
    if twin_is_open(word, attempt):
        twin = word[attempt + A_TWIN]
        cancel, stage = word[word[attempt + A_EDGE] + E_CANCEL], word[twin + A_STAGE]
        if cancel == RUNNING or (cancel and stage == QUEUED) or stage in (WAITING, CONNECTED):
            give_up(word, real, twin)
        else:
            word[twin + A_TWIN] = DECIDED
    return True
