"""When each kind of event happened in a timeline, and where two replications of the same seed first part.

The rule that surprises: events are told apart by kind, subject and a telling detail (rule, node, role, step, audience), and each has all its
times. What happened on both sides at the same time is struck out; the earliest of what is left parted the two.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

LEFT_OUT: Final = frozenset({"run.started", "run.ended", "run.aborted", "database.lag", "cost.accrued", "writes.summary"})
"""Kinds that are sampled or sums: they follow from others and lead to nothing."""
DETAILS: Final = ("rule", "node", "role", "step", "audience", "phase", "to", "action")
"""Keys of an event's data that tell two events of one kind and subject apart."""
SAME_S: Final = 0.002
"""Times that differ by less are the same: a baseline keeps milliseconds."""
MOST_TIMES: Final = 40
"""Times of one landmark that are kept: a shedder that starts and stops all day must not fill a reviewed file."""

Landmarks = Mapping[str, Sequence[float]]
"""Label of an event (`alert.firing class/checkout rule=errors`) to its times in order, seconds from the start."""


@dataclass(frozen=True, slots=True)
class Parting:
    """An event that is the first to differ between paired replications."""

    label: str
    before_s: float | None
    """Median over the pairs in which it was first; None: it did not happen before."""
    after_s: float | None
    """The same for after; None: it does not happen any more."""
    first_in: int
    """Pairs in which it was the first to differ."""
    pairs: int
    """Pairs that were looked at."""

    @property
    def shift_s(self) -> float | None:
        """How much later it happens; None when it happens on one side only."""
        return None if self.before_s is None or self.after_s is None else self.after_s - self.before_s


def landmarks(timeline: bytes) -> dict[str, list[float]]:
    """The landmarks of a timeline as it is written (JSON Lines, a header first), in order of their first times."""
    found: dict[str, list[float]] = {}
    for line in timeline.splitlines()[1:]:
        event = json.loads(line)
        if event["kind"] not in LEFT_OUT:
            times = found.setdefault(_label(event), [])
            if len(times) < MOST_TIMES:
                times.append(round(float(event["t"]), 3))
    return found


def _label(event: Mapping[str, Any]) -> str:
    data = event["data"]
    details = [f"{key}={data[key]}" for key in DETAILS if isinstance(data.get(key), str)]
    return " ".join([event["kind"], event["subject"], *details])


def first_difference(before: Landmarks, after: Landmarks) -> tuple[str, float | None, float | None] | None:
    """The earliest event that moved, is missing or is new, with its times; None when all agree.

    Of events at the same instant the one that the timeline has first is named: a cause is written before what it leads to.
    """
    differing = []
    for place, label in enumerate({**after, **before}):
        old, new = _without_common(before.get(label, ()), after.get(label, ()))
        if old is not None or new is not None:
            differing.append((min(one for one in (old, new) if one is not None), place, label, old, new))
    if not differing:
        return None
    _, _, label, old, new = min(differing, key=lambda each: each[:2])
    return label, old, new


def _without_common(before: Sequence[float], after: Sequence[float]) -> tuple[float | None, float | None]:
    """The first time of each side that the other side lacks.

    A sequence that is cut off at MOST_TIMES says nothing about what came after its last time, so nothing later is compared.
    """
    cut = min((times[-1] for times in (before, after) if len(times) >= MOST_TIMES), default=None)
    old, new = ([one for one in times if cut is None or one <= cut] for times in (before, after))
    i = j = 0
    only_old, only_new = [], []
    while i < len(old) and j < len(new):
        if abs(old[i] - new[j]) < SAME_S:
            i, j = i + 1, j + 1
        elif old[i] < new[j]:
            only_old.append(old[i])
            i += 1
        else:
            only_new.append(new[j])
            j += 1
    only_old += old[i:]
    only_new += new[j:]
    return only_old[0] if only_old else None, only_new[0] if only_new else None


def partings(pairs: Sequence[tuple[Landmarks, Landmarks]]) -> list[Parting]:
    """What differs first in each pair, the most frequent first; pairs that agree in everything are counted but name nothing."""
    found = [one for before, after in pairs if (one := first_difference(before, after)) is not None]
    counted = Counter(label for label, _, _ in found)
    result = []
    for label, first_in in counted.most_common():
        old = [before for name, before, _ in found if name == label and before is not None]
        new = [after for name, _, after in found if name == label and after is not None]
        result.append(Parting(label, median(old) if old else None, median(new) if new else None, first_in, len(pairs)))
    return result
