"""The answers of a study: each point with its estimates, its rank, and whether anything beats it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gameday.study.estimates import Estimate, estimate, front, ranks
from gameday.study.model import Response, Study

if TYPE_CHECKING:
    from gameday.study.store import Row, Store


@dataclass(frozen=True, slots=True)
class PointAnswer:
    """One point."""

    number: int
    levels: Mapping[str, str]
    rows: Sequence[Row]
    estimates: tuple[Estimate, ...]
    """In the order of the responses."""
    rank: int
    """By the first response; points that cannot be told apart share one."""
    beaten_by: int | None
    """A point that is clearly better in something and worse in nothing; None on the Pareto front."""

    @property
    def label(self) -> str:
        """`replicas=2, zones=three`."""
        return ", ".join(f"{name}={level}" for name, level in self.levels.items())

    @property
    def allowed(self) -> str:
        """Whether all limits are kept: yes, no or unclear."""
        found = {one.allowed for one in self.estimates}
        return "no" if "no" in found else "unclear" if "unclear" in found else "yes"


@dataclass(frozen=True, slots=True)
class Answers:
    """All points, the best rank first; those that share what is given stand together."""

    study: Study
    identity: Mapping[str, Any]
    points: tuple[PointAnswer, ...]

    @classmethod
    def of(cls, study: Study, store: Store) -> Answers:
        """From the rows. All points share the days that are compared."""
        by_point: dict[int, list[Row]] = {}
        for key in sorted(store.rows):
            by_point.setdefault(key[0], []).append(store.rows[key])
        groups: dict[tuple[str, ...], dict[int, list[Row]]] = {}
        for number, rows in by_point.items():
            groups.setdefault(_given(study, _levels(rows[0])), {})[number] = rows
        ranked: dict[int, int] = {}
        beaten: dict[int, int | None] = dict.fromkeys(by_point)
        for group in groups.values():
            ranked |= ranks(study.responses[0], group)
            if len(study.responses) > 1 and len(group) <= MOST_FOR_A_FRONT:
                beaten |= front(study.responses, group)
        found = [
            PointAnswer(
                number,
                _levels(rows[0]),
                rows,
                tuple(estimate(one, rows) for one in study.responses),
                ranked[number],
                beaten[number],
            )
            for number, rows in by_point.items()
        ]
        places = {given: place for place, given in enumerate(groups)}
        turn = 1.0 if study.responses[0].better == "lower" else -1.0
        return cls(
            study, store.identity, tuple(sorted(found, key=lambda one: (places[_given(study, one.levels)], *_order(one, turn))))
        )

    @property
    def responses(self) -> list[Response]:
        """What was asked."""
        return self.study.responses

    def groups(self) -> dict[str, list[PointAnswer]]:
        """The points by what is given (`day=lost`), among which they are ranked; one group without a name where nothing is."""
        names = [name for name, factor in self.study.factors.items() if factor.given]
        found: dict[str, list[PointAnswer]] = {}
        for one in self.points:
            found.setdefault(", ".join(f"{name}={one.levels[name]}" for name in names), []).append(one)
        return found

    @property
    def on_front(self) -> list[PointAnswer]:
        """Points that nothing beats."""
        return [one for one in self.points if one.beaten_by is None]

    def with_factor(self, name: str, level: str) -> list[PointAnswer]:
        """Points at which a factor has a value."""
        return [one for one in self.points if one.levels[name] == level]


def _order(one: PointAnswer, turn: float) -> tuple[int, float, int]:
    """By rank, then as estimated, which says nothing among equals but reads better."""
    value = one.estimates[0].value
    return one.rank, math.inf if value is None else turn * value, one.number


MOST_FOR_A_FRONT = 400
"""Points of which every pair is compared."""


def _given(study: Study, levels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(levels[name] for name, factor in study.factors.items() if factor.given)


def _levels(row: Row) -> dict[str, str]:
    return {name.removeprefix("factor."): str(value) for name, value in row.items() if name.startswith("factor.")}
