"""The first time of each kind of event in a timeline, and where two replications of the same seed first part.

The rule that surprises: only first times are kept, one per kind, subject and telling detail (rule, node, role, step, audience). That is
what fits a reviewed file; a second occurrence that moves is not seen here, only in the timelines.
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

Landmarks = Mapping[str, float]
"""Label of an event (`alert.firing class/checkout rule=errors`) to its first time, seconds from the start."""


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


def landmarks(timeline: bytes) -> dict[str, float]:
    """The landmarks of a timeline as it is written (JSON Lines, a header first)."""
    found: dict[str, float] = {}
    for line in timeline.splitlines()[1:]:
        event = json.loads(line)
        if event["kind"] not in LEFT_OUT:
            found.setdefault(_label(event), round(float(event["t"]), 3))
    return found


def _label(event: Mapping[str, Any]) -> str:
    data = event["data"]
    details = [f"{key}={data[key]}" for key in DETAILS if isinstance(data.get(key), str)]
    return " ".join([event["kind"], event["subject"], *details])


def first_difference(before: Landmarks, after: Landmarks) -> tuple[str, float | None, float | None] | None:
    """The earliest landmark that differs, with its times; None when all agree."""
    differing = [
        (min(one for one in (old, new) if one is not None), label, old, new)
        for label in {**before, **after}
        if _differ(old := before.get(label), new := after.get(label))
    ]
    if not differing:
        return None
    _, label, old, new = min(differing, key=lambda each: each[:2])
    return label, old, new


def _differ(before: float | None, after: float | None) -> bool:
    return before is None or after is None or abs(after - before) >= SAME_S


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
