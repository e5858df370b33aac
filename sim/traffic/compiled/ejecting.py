"""Outlier ejection in the kernel: the twin of `sim.traffic.ejecting`.

The rule that surprises: only where a station has a detector (H_OUTLIERS) is any of this looked at.
"""

from __future__ import annotations

from sim.traffic.compiled.balancing import rotate
from sim.traffic.compiled.jit import Reals, Words, kernel, part
from sim.traffic.compiled.layout import (
    A_INSTANCE,
    H_NOW,
    I_DRAINED,
    I_EJECTED,
    I_EJECTIONS,
    I_FAILURES_IN_ROW,
    I_RETURNED_AT,
    I_STATION,
    O_BASE,
    O_FAILURES,
    O_INTERVAL,
    O_LONGEST,
    O_MOST,
    OK,
    RETURN,
    S_MEMBER_COUNT,
    S_MEMBERS,
    S_NUMBER,
    S_OUTLIER,
)
from sim.traffic.compiled.primitives import note, push, tick
from sim.traffic.noted import OUTLIER_EJECTED, OUTLIER_READMITTED


@kernel
def judge(word: Words, real: Reals, attempt: int, outcome: int) -> None:
    """A caller has learnt the outcome of an attempt that was sent."""
    instance = word[attempt + A_INSTANCE]
    station = word[instance + I_STATION]
    plan = word[station + S_OUTLIER]
    if plan == 0:
        return
    if outcome == OK:
        word[instance + I_FAILURES_IN_ROW] = 0
        return
    word[instance + I_FAILURES_IN_ROW] += 1
    outlier = word[instance + I_FAILURES_IN_ROW] >= word[plan + O_FAILURES] and not word[instance + I_EJECTED]
    if outlier and may_eject(word, real, station, plan):
        eject(word, real, instance, station, plan)


@part
def may_eject(word: Words, real: Reals, station: int, plan: int) -> bool:
    """Whether one more instance may be ejected."""
    listed = 0
    ejected = 0
    for number in range(word[station + S_MEMBER_COUNT]):
        each = word[word[station + S_MEMBERS] + number]
        if not word[each + I_DRAINED]:
            listed += 1
            ejected += word[each + I_EJECTED]
    allowed: bool = ejected == 0 or ejected + 1 <= real[plan + O_MOST] * listed
    return allowed


@part
def eject(word: Words, real: Reals, instance: int, station: int, plan: int) -> None:
    """Leave an instance out for a while."""
    now = real[H_NOW]
    forgiven = int((now - real[instance + I_RETURNED_AT]) / real[plan + O_INTERVAL])
    ejections = max(0, word[instance + I_EJECTIONS] - forgiven) + 1
    word[instance + I_EJECTIONS] = ejections
    word[instance + I_EJECTED] = 1
    word[instance + I_FAILURES_IN_ROW] = 0
    note(word, real, OUTLIER_EJECTED, word[station + S_NUMBER], instance)
    rotate(word, real, station)
    away_s = min(real[plan + O_BASE] * ejections, max(real[plan + O_LONGEST], real[plan + O_BASE]))
    push(word, real, now + away_s, tick(word), RETURN, instance)


@kernel
def readmit(word: Words, real: Reals, instance: int) -> None:
    """The time of an ejected instance is over."""
    word[instance + I_EJECTED] = 0
    word[instance + I_FAILURES_IN_ROW] = 0
    real[instance + I_RETURNED_AT] = real[H_NOW]
    note(word, real, OUTLIER_READMITTED, word[word[instance + I_STATION] + S_NUMBER], instance)
    rotate(word, real, word[instance + I_STATION])
