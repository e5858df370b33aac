"""Policy against policy on the same seeds, until the answer is clear: the number of replications is not chosen beforehand.

The rule that surprises: looking again and again and stopping when it looks good finds differences where there are none. So the looks are
few (each at twice the replications of the last), and the error that is allowed, 5 %, is spent on them in equal parts, and on the KPIs
too: by Bonferroni's inequality the probability that any of the answers "better" or "worse" is wrong stays below 5 %, whenever it stops.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gameday.comparison import Comparison as Pairs
from gameday.comparison import compare_counts, compare_durations
from gameday.scores.kpis import KPIS
from gameday.scores.samples import NOT_APPLICABLE, UNKNOWN, as_number

if TYPE_CHECKING:
    from gameday.replication import Plays
    from gameday.scenario.model import Scenario

ALPHA: Final = 0.05
FIRST_LOOK: Final = 8
"""Replications at the first look; fewer have no t interval worth the name."""
IDENTICAL: Final = 30
"""Pairs without any difference after which a KPI counts as the same: then, with 95 % confidence, fewer than a tenth of days differ."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known about one KPI at a look."""

    kpi: str
    pairs: Pairs | None
    """None when no pair was judged on both sides."""
    left_out: int
    """Pairs that were not judged, or to which it did not apply, on either side."""
    clear: bool
    """Whether more replications would not change the answer."""


@dataclass(slots=True)
class Duel:
    """Two policies: the values of each KPI, replication by replication."""

    kpis: tuple[str, ...]
    most: int
    same_within: float
    before: dict[int, dict[str, float]] = field(default_factory=dict)
    after: dict[int, dict[str, float]] = field(default_factory=dict)

    @property
    def looks(self) -> tuple[int, ...]:
        """Replications at each look."""
        found = [min(FIRST_LOOK, self.most)]
        while found[-1] < self.most:
            found.append(min(self.most, found[-1] * 2))
        return tuple(found)

    @property
    def confidence(self) -> float:
        """Level of each interval: that of all of them together is 95 %."""
        return 1 - ALPHA / (len(self.looks) * len(self.kpis))

    def answers(self) -> list[Answer]:
        """What is known about each KPI."""
        return [self._answer(kpi) for kpi in self.kpis]

    def _answer(self, kpi: str) -> Answer:
        numbers = sorted(set(self.before) & set(self.after))
        pairs = [(self.before[n].get(kpi, UNKNOWN), self.after[n].get(kpi, UNKNOWN)) for n in numbers]
        judged = [pair for pair in pairs if not any(math.isnan(one) or one == NOT_APPLICABLE for one in pair)]
        if not judged:
            return Answer(kpi, None, len(pairs), clear=len(pairs) >= IDENTICAL)
        first, second = zip(*judged, strict=True)
        found = compared(kpi, first, second, self.same_within, self.confidence)
        identical = not (found.improved or found.worsened)
        clear = len(judged) >= IDENTICAL if identical else found.verdict != "unclear"
        return Answer(kpi, found, len(pairs) - len(judged), clear)


def compared(kpi: str, before: Sequence[float], after: Sequence[float], same_within: float, confidence: float) -> Pairs:
    """The pairs of one KPI: durations by their ratio, all else by its difference, `same_within` relative to the mean before."""
    better = KPIS[kpi].better
    if KPIS[kpi].unit == "s":
        return compare_durations(before, after, better=better, same_within_ratio=1 + same_within, confidence=confidence)
    finite = [abs(value) for value in before if math.isfinite(value)]
    scale = 1.0 if KPIS[kpi].unit in {"ratio", "bool"} or not finite else sum(finite) / len(finite)
    return compare_counts(before, after, better=better, same_within=same_within * scale, confidence=confidence)


def until_clear(
    before: Scenario, after: Scenario, duel: Duel, seed: int, workers: Plays, step: Callable[[], None] = lambda: None
) -> Iterator[list[Answer]]:
    """Play both policies look by look; the answers at each look. It ends when all are clear, or at the most replications."""
    from gameday.replication import Task, packed

    sides = [packed(before), packed(after)]
    done = 0
    for look in duel.looks:
        tasks = (
            Task(content, key, seed, (number,), group=side)
            for number in range(done, look)
            for side, (content, key) in enumerate(sides)
        )
        for task, played in workers.run(tasks):
            for one in played:
                values = {result.kpi: as_number(result) for result in one.scores.results if result.kpi in duel.kpis}
                (duel.before, duel.after)[task.group][one.replication] = values
                step()
        done = look
        answers = duel.answers()
        yield answers
        if all(answer.clear for answer in answers):
            return
