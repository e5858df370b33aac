"""Messages on the network and answers to callers in the kernel.

The rule that surprises: loss is decided when a message leaves, and its caller only learns it by its timeout.
"""

from __future__ import annotations

from sim.traffic.compiled.jit import Reals, Words, kernel, part
from sim.traffic.compiled.layout import (
    A_CALLER,
    A_EDGE,
    A_FATE,
    A_HOLDS,
    A_OUTCOME,
    A_PARENT,
    A_PATH,
    ANSWER,
    E_LOSS_DRAWS,
    H_NOW,
    I_FROZEN,
    P_AT_ONCE,
    P_BACK_CUT,
    P_BACK_LOSS,
    P_CLEAR_BACK,
    P_DELAY,
)
from sim.traffic.compiled.primitives import draw, push, put_in_mail, tick
from sim.traffic.plan import Reason

_PARTITIONED, _PACKET_LOSS = int(Reason.PARTITIONED), int(Reason.PACKET_LOSS)


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


@part
def answer_now(word: Words, real: Reals, attempt: int, outcome: int) -> bool:
    """Send the callee's answer: True if the caller has it at once, False if it travels, waits, or is lost."""
    if word[word[attempt + A_PATH] + P_AT_ONCE] and not (word[attempt + A_PARENT] and word[word[attempt + A_CALLER] + I_FROZEN]):
        return True
    return send_answer(word, real, attempt, outcome)


@kernel
def send_answer(word: Words, real: Reals, attempt: int, outcome: int) -> bool:
    """The same, where the network or the caller may be in the way."""
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
