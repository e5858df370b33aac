"""The scores of one replication in a form that is small enough to be sent between processes by the thousand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gameday.scores.case import Case
from gameday.scores.causes import sentence
from gameday.scores.cost import lost_requests
from gameday.scores.grading import SEVERITY
from gameday.scores.model import Grade, Recording, Result, Scorecard

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario


@dataclass(frozen=True, slots=True)
class ReplicationScores:
    """One replication, judged."""

    replication: int
    """Its number, from 0."""
    grade: Grade
    dimensions: Mapping[str, tuple[Grade, str]]
    """Grade and reason of each dimension."""
    results: tuple[Result, ...]
    """One per KPI."""
    lost_requests: float
    """Requests lost in the judged time."""
    lost_money: float
    """Money lost with them; 0 where no class has a price."""
    why: str
    """What happened, in one sentence."""

    @property
    def hard_failures(self) -> tuple[Result, ...]:
        """Results that cap it at U."""
        return tuple(result for result in self.results if result.hard_failure)

    @property
    def badness(self) -> tuple[int, int, float, float]:
        """A key that is larger for the worse of two replications: grade, hard failures, money, requests."""
        return SEVERITY[self.grade], len(self.hard_failures), self.lost_money, self.lost_requests


def replication_scores(card: Scorecard, recording: Recording, scenario: Scenario, replication: int) -> ReplicationScores:
    """What is kept of one replication."""
    case = Case(recording, scenario)
    prices = scenario.system.money.lost_request
    return ReplicationScores(
        replication=replication,
        grade=card.grade,
        dimensions={name: (dimension.grade, dimension.reason) for name, dimension in card.dimensions.items()},
        results=card.results,
        lost_requests=lost_requests(case),
        lost_money=sum(price * lost_requests(case, name) for name, price in prices.items()),
        why=sentence(card, recording, scenario),
    )
