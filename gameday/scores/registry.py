"""The scorers of every dimension: which KPIs each measures, and whether per incident or per run.

To add a score, add its KPI to `definitions.py` and its function to `SCORERS` of the dimension's file. A new dimension also needs its line
in `kpis.DIMENSIONS` and in `_MODULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

from gameday.scores.kpis import DIMENSIONS, KPIS
from gameday.scores.model import Measure

if TYPE_CHECKING:
    from gameday.scores.case import Case
    from gameday.scores.incidents import Incident

PerIncident = Callable[["Case", "Incident"], Iterable[Measure]]
PerRun = Callable[["Case"], Iterable[Measure]]


@dataclass(frozen=True, slots=True)
class Scorer:
    """One function and the KPIs it measures: exactly one measure of each, per incident or per run."""

    kpis: tuple[str, ...]
    of_incident: PerIncident | None = None
    of_run: PerRun | None = None


def per_incident(function: PerIncident, *kpis: str) -> Scorer:
    """A scorer that is asked once for every incident."""
    return Scorer(_known(kpis), of_incident=function)


def per_run(function: PerRun, *kpis: str) -> Scorer:
    """A scorer that is asked once."""
    return Scorer(_known(kpis), of_run=function)


def all_scorers() -> tuple[Scorer, ...]:
    """The scorers of all dimensions, in their order."""
    return tuple(scorer for dimension in DIMENSIONS for scorer in import_module(_MODULES[dimension]).SCORERS)


def _known(kpis: tuple[str, ...]) -> tuple[str, ...]:
    assert kpis, "a scorer measures something"
    assert set(kpis) <= set(KPIS), f"{kpis} must be in definitions.py"
    return kpis


_MODULES: Final = {dimension: f"gameday.scores.{dimension}" for dimension in DIMENSIONS}
