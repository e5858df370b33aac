"""Faults of an instance in the kernel: it dies, it freezes. The twin of these handlers in `sim.traffic.changing`.

The rule that surprises: the dead fail later, when the machine works off the agenda that is laid out here.
"""

from __future__ import annotations

from sim.traffic.compiled.caches import forget
from sim.traffic.compiled.jit import Reals, Words, part
from sim.traffic.compiled.layout import (
    A_DUE,
    A_HELD_SINCE,
    A_NEXT,
    A_STAGE,
    A_TOKEN,
    COMMITTING,
    DONE,
    GATE_WORDS,
    H_AGENDA_MAIL,
    H_CRASHED,
    H_NOW,
    I_CACHES,
    I_FIRST,
    I_FROZEN,
    I_GATE_COUNT,
    I_GATES,
    I_LANES,
    I_LAST,
    I_LIFE,
    I_LIMITER,
    I_MAIL,
    I_QUEUED,
    I_ROOM,
    I_RUNNING,
    I_STATION,
    I_UP,
    S_BUSY_S,
    WORKING,
)
from sim.traffic.compiled.limiting import begin_anew


@part
def kill(word: Words, real: Reals, instance: int) -> None:
    """Take everything from an instance: what it held in order of start, then its queues, then its mail go on the agenda."""
    station = word[instance + I_STATION]
    attempt = word[instance + I_FIRST]
    while attempt:
        real[station + S_BUSY_S] += real[H_NOW] - real[attempt + A_HELD_SINCE]
        attempt = word[attempt + A_NEXT]
    first, last = word[instance + I_FIRST], word[instance + I_LAST]
    for lane in range(instance + I_LANES, instance + I_LANES + 6, 2):
        if word[lane]:
            if last:
                word[last + A_NEXT] = word[lane]
            else:
                first = word[lane]
            last = word[lane + 1]
        word[lane] = 0
        word[lane + 1] = 0
    attempt = first
    while attempt:
        word[attempt + A_STAGE] = DONE
        word[attempt + A_TOKEN] = 0
        attempt = word[attempt + A_NEXT]
    word[H_CRASHED] = first
    word[H_AGENDA_MAIL] = word[instance + I_MAIL]
    word[instance + I_FIRST] = 0
    word[instance + I_LAST] = 0
    word[instance + I_RUNNING] = 0
    word[instance + I_QUEUED] = 0
    word[instance + I_MAIL] = 0
    word[instance + I_UP] = 0
    word[instance + I_FROZEN] = 0
    word[instance + I_ROOM] = 0
    word[instance + I_LIFE] += 1
    for gate in range(word[instance + I_GATES], word[instance + I_GATES] + GATE_WORDS * word[instance + I_GATE_COUNT]):
        word[gate] = 0
    if word[instance + I_CACHES]:
        forget(word, instance)
    if word[instance + I_LIMITER]:
        begin_anew(word, real, word[instance + I_LIMITER])


@part
def freeze(word: Words, real: Reals, instance: int) -> None:
    """Stop the clocks of the work in progress."""
    word[instance + I_FROZEN] = 1
    word[instance + I_ROOM] = 0
    attempt = word[instance + I_FIRST]
    while attempt:
        if word[attempt + A_STAGE] == WORKING or word[attempt + A_STAGE] == COMMITTING:
            word[attempt + A_TOKEN] = 0
            real[attempt + A_DUE] -= real[H_NOW]
        attempt = word[attempt + A_NEXT]
