"""What goes into a score and what comes out: recordings, measures, results, grades, scorecards.

The rule that surprises: what was not measured is never a pass. Missing evidence is UNKNOWN, and "there was nothing to do" is a state
of its own, NOT_APPLICABLE, that counts neither way. "Never happened" is a value (censored), and the worst one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from gameday.scores.entry import Unit
from gameday.scores.kpis import KPIS, Target
from gameday.timeline import Event, SeriesSet, Timeline
from gameday.traces import Trace


class Grade(StrEnum):
    """The scale of exercise evaluation (HSEEP), and what is off the scale."""

    P = "P"
    """Performed: the target was met."""
    S = "S"
    """Performed with some challenges: within one and a half times the target."""
    M = "M"
    """Performed with major challenges: within three times the target."""
    U = "U"
    """Unable: beyond, never, or a hard failure."""
    UNKNOWN = "UNKNOWN"
    """The evidence is missing, or a scorer crashed."""
    UNGRADED = "UNGRADED"
    """Measured, but nobody set a target."""
    NOT_APPLICABLE = "NOT_APPLICABLE"
    """There was nothing to do, so nothing was shown."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One run, as simulated or observed: what scorers read."""

    timeline: Timeline
    series: SeriesSet = field(default_factory=SeriesSet)
    traces: tuple[Trace, ...] = ()
    """Stories of single requests, where they were asked for; no scorer reads them."""
    jumped_s: float = 0.0
    """Seconds of quiet stretches that were drawn instead of played; no scorer reads them."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A reference to an event of the timeline."""

    index: int
    """Position in the timeline, from 0."""
    t: float
    kind: str
    subject: str


State = Literal["measured", "never", "unknown", "not_applicable"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a scorer found out about one KPI, before it is graded. Make one with the functions below."""

    kpi: str
    state: State
    value: float | None = None
    """In the KPI's unit; only when measured."""
    events: tuple[Event, ...] = ()
    """The events that prove it."""
    note: str = ""
    """A sentence fragment: how the value came about, or why there is none."""
    censored_at: float | None = None
    """How long it was waited for, seconds; only when it never happened."""
    policy_target: Target | None = None
    """Target from a policy of the scenario (a recovery point); an objective of the scenario still replaces it."""
    tolerated: bool = False
    """Whether a missed hard target lies within its stated tolerance: then it is graded S and is no hard failure."""


def measured(
    kpi: str, value: float, *events: Event, note: str = "", target: Target | None = None, tolerated: bool = False
) -> Measure:
    """A value, in the KPI's unit."""
    return Measure(kpi, "measured", float(value), events, note, policy_target=target, tolerated=tolerated)


def never(kpi: str, censored_at: float, *events: Event, note: str = "", target: Target | None = None) -> Measure:
    """It had not happened when the run ended, `censored_at` seconds after it should have begun."""
    assert KPIS[kpi].better == "lower", f"{kpi}: only what is better when it is lower can take for ever"
    return Measure(kpi, "never", None, events, note, max(0.0, censored_at), target)


def unknown(kpi: str, why: str, *events: Event) -> Measure:
    """The evidence is missing."""
    return Measure(kpi, "unknown", None, events, why)


def not_applicable(kpi: str, why: str, *events: Event) -> Measure:
    """There was nothing to do."""
    return Measure(kpi, "not_applicable", None, events, why)


@dataclass(frozen=True, slots=True)
class Result:
    """One KPI, judged."""

    kpi: str
    value: float | None
    """In the KPI's unit; None when unknown, not applicable, or never."""
    unit: Unit
    target: Target | None
    grade: Grade
    evidence: tuple[Evidence, ...] = ()
    censored_at: float | None = None
    """Seconds after which it still had not happened; None otherwise."""
    incident: int | None = None
    """Number of the incident it is about, from 1; None when it is about the run."""
    note: str = ""
    hard_failure: bool = False
    """Whether it caps the run at U."""


@dataclass(frozen=True, slots=True)
class DimensionScore:
    """One dimension: its results, its grade, and why."""

    dimension: str
    grade: Grade
    reason: str
    """One sentence fragment: what decided the grade."""
    results: tuple[Result, ...]
    """One per KPI of the dimension, in the order of the KPI table; per incident, the worst."""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One run, judged."""

    grade: Grade
    dimensions: Mapping[str, DimensionScore]
    by_incident: tuple[Result, ...]
    """The results of every incident, of which the dimensions show the worst."""
    incidents: int
    """How many incidents there were."""

    @property
    def results(self) -> tuple[Result, ...]:
        """All results of the run, by dimension."""
        return tuple(result for dimension in self.dimensions.values() for result in dimension.results)

    @property
    def hard_failures(self) -> tuple[Result, ...]:
        """Results that cap the run at U."""
        return tuple(result for result in self.results if result.hard_failure)

    def result(self, kpi: str) -> Result:
        """The result of one KPI; KeyError when there is none of that name."""
        return next(result for result in self.dimensions[KPIS[kpi].dimension].results if result.kpi == kpi)
