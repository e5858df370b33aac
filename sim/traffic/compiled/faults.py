"""Faults of an instance in the kernel: it dies, it freezes. The twin of these handlers in `sim.traffic.changing`.

The rule that surprises: the dead fail later, when the machine works off the agenda that is laid out here.
"""

from __future__ import annotations

from sim.traffic.compiled.caches import forget
from sim.traffic.compiled.calendar_queue import call_off_work
from sim.traffic.compiled.circles import clear, end_of
from sim.traffic.compiled.jit import Reals, Words, part
from sim.traffic.compiled.layout import (
    A_DUE,
    A_HELD_SINCE,
    A_NEXT,
    A_STAGE,
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
    running, lanes = instance + I_FIRST, instance + I_LANES
    attempt = word[running]
    while attempt != end_of(running):
        real[station + S_BUSY_S] += real[H_NOW] - real[attempt + A_HELD_SINCE]
        attempt = word[attempt + A_NEXT]
    word[H_CRASHED] = 0
    last = H_CRASHED - A_NEXT
    for pair in (running, lanes, lanes + 2, lanes + 4):
        attempt = word[pair]
        while attempt != end_of(pair):
            if word[attempt + A_STAGE] == WORKING or word[attempt + A_STAGE] == COMMITTING:
                call_off_work(word, attempt)
            word[attempt + A_STAGE] = DONE
            word[last + A_NEXT] = attempt
            last = attempt
            attempt = word[attempt + A_NEXT]
        clear(word, pair)
    word[last + A_NEXT] = 0
    word[H_AGENDA_MAIL] = word[instance + I_MAIL]
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
    while attempt != end_of(instance + I_FIRST):
        if word[attempt + A_STAGE] == WORKING or word[attempt + A_STAGE] == COMMITTING:
            call_off_work(word, attempt)
            real[attempt + A_DUE] -= real[H_NOW]
        attempt = word[attempt + A_NEXT]
