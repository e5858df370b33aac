"""Prediction against observation: what the simulator said before the first fault, and what then happened, KPI by KPI and stage by stage.

The rule that surprises: the prediction is a distribution, registered in the run folder with a digest of the scenario before anything is
broken. An observation is inside when it lies between the predicted p5 and p95; "never" is a value like any other, and the largest.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gameday.errors import BadInput, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from gameday.timeline import Timeline

VERSION: Final = 1
LOW: Final = 0.05
HIGH: Final = 0.95
PEOPLE: Final = ("response.", "communication.", "compliance.")
"""KPIs that people bring about; where nobody took part they are not compared."""
OWN_WRITES: Final = frozenset({"failover.rpo_writes", "failover.split_brain_writes", "data.unreconciled"})
"""KPIs that count writes: a live day counts those of its own clients, the prediction those of the scenario's requests."""
BY_PEOPLE: Final = "human"
STAGES: Final[tuple[tuple[str, str, str], ...]] = (
    ("impact", "fault.injected", "users are hurt"),
    ("detect", "impact.started", "the first alert fires"),
    ("decide", "fault.injected", "a move is triggered"),
    ("promote", "failover.triggered", "a replica is primary"),
    ("route", "failover.promoted", "callers reach the new primary"),
    ("move", "failover.triggered", "the public name leads elsewhere"),
    ("follow", "dns.changed", "the users who had to move are served well"),
    ("recover", "impact.started", "users are served well again"),
)
"""Stage, what it counts from, and what ends it."""
WHOLE: Final = "recover"
"""The stage that contains the others."""
_ENDS: Final[Mapping[str, tuple[str, ...]]] = {
    "impact": ("impact.started",),
    "detect": ("alert.firing",),
    "decide": ("failover.triggered",),
    "promote": ("failover.promoted",),
    "route": ("failover.completed",),
    "move": ("dns.changed",),
    "follow": ("impact.ended",),
    "recover": ("impact.ended",),
}


@dataclass(frozen=True, slots=True)
class Spread:
    """Predicted values of one number over the replications; infinite where it never happened."""

    n: int
    p5: float
    p50: float
    p95: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread | None:
        """The spread of the values that are known; None without any."""
        known = sorted(value for value in values if not math.isnan(value) and value != -math.inf)
        return cls(len(known), *(_quantile(known, q) for q in (LOW, 0.5, HIGH))) if known else None

    def holds(self, observed: float) -> bool:
        """Whether an observation is inside."""
        return self.p5 <= observed <= self.p95

    def as_json(self) -> dict[str, Any]:
        """As the prediction file has it; null is never."""
        return {"n": self.n, **{name: _finite(getattr(self, name)) for name in ("p5", "p50", "p95")}}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Spread:
        """The inverse."""
        return cls(found["n"], *(math.inf if found[name] is None else float(found[name]) for name in ("p5", "p50", "p95")))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comparison."""

    name: str
    title: str
    unit: str
    predicted: Spread
    observed: float
    """Infinite for never."""

    @property
    def inside(self) -> bool:
        """Whether the observation lies in the predicted 90 %."""
        return self.predicted.holds(self.observed)

    @property
    def error_ratio(self) -> float | None:
        """(observed - predicted median) / predicted median; None where one of them has no size."""
        middle = self.predicted.p50
        if not math.isfinite(middle) or not math.isfinite(self.observed) or middle == 0.0:
            return None
        return (self.observed - middle) / middle


@dataclass(frozen=True, slots=True)
class Against:
    """A whole comparison."""

    kpis: tuple[Row, ...]
    stages: tuple[Row, ...]
    not_compared: tuple[tuple[str, str], ...]
    """KPI and why."""
    registered: str
    replications: int

    @property
    def outside(self) -> tuple[Row, ...]:
        """KPIs that came out otherwise than predicted."""
        return tuple(row for row in self.kpis if not row.inside)

    def explanation(self) -> str:
        """Which stage accounts for what is outside: the one whose time differs most from its predicted median, among those outside."""
        if not self.outside:
            return "Every KPI came out within the predicted 90 %."
        strange = [row for row in self.stages if not row.inside]
        if not strange:
            return "Every stage took a time within its predicted 90 %; no single stage explains the difference."
        parts = [row for row in strange if row.name != WHOLE] or strange  # recovery holds all others
        worst = max(parts, key=lambda row: abs(row.observed - row.predicted.p50) if math.isfinite(row.observed) else math.inf)
        took = "never ended" if math.isinf(worst.observed) else f"took {worst.observed:.1f} s"
        middle = "never" if math.isinf(worst.predicted.p50) else f"{worst.predicted.p50:.1f} s"
        return f"The stage that explains most of it is '{worst.name}' ({worst.title}): it {took}, predicted median {middle}."


def stage_times(timeline: Timeline) -> dict[str, float]:
    """How long each stage took, seconds; infinite when it began and never ended, left out when it never began."""
    first_fault = timeline.first("fault.injected")
    if first_fault is None:
        return {}
    found: dict[str, float] = {}
    for stage, begins, _ in STAGES:
        begin = timeline.first(begins, after=first_fault.t)
        if begin is None or not _is_part_of(stage, timeline, first_fault.t):
            continue
        ends = [event.t for event in timeline.of(*_ENDS[stage]) if event.t >= begin.t]
        if stage in {"recover", "follow"}:
            started, ended = len(timeline.of("impact.started")), len(timeline.of("impact.ended"))
            found[stage] = max(ends) - begin.t if ends and started == ended else math.inf
        else:
            found[stage] = min(ends) - begin.t if ends else math.inf
    return found


def _is_part_of(stage: str, timeline: Timeline, after: float) -> bool:
    """Whether a day has the stage: it moves a primary, or a name, or both, or nothing."""
    triggered = {event.subject.partition("/")[0] for event in timeline.of("failover.triggered") if event.t >= after}
    if stage == "decide":
        return timeline.first("failover.*", after=after) is not None
    if stage == "promote":
        return "database" in triggered or timeline.first("failover.promoted", after=after) is not None
    return stage != "move" or "region" in triggered


def registered(
    scenario: str, digest: str, seed: int, at: str, kpis: Mapping[str, Sequence[float]], stages: Sequence[Mapping[str, float]]
) -> dict[str, Any]:
    """The content of `prediction.json`. `kpis`: values by replication; `stages`: `stage_times` of each replication."""
    spreads = {name: spread.as_json() for name, values in kpis.items() if (spread := Spread.of(values)) is not None}
    times = {stage: Spread.of([each[stage] for each in stages if stage in each]) for stage, _, _ in STAGES}
    return {
        "prediction": VERSION,
        "scenario": scenario,
        "scenario_sha256": digest,
        "seed": seed,
        "replications": len(stages),
        "registered": at,
        "kpis": spreads,
        "stages": {stage: spread.as_json() for stage, spread in times.items() if spread is not None},
    }


def read_prediction(path: Path) -> dict[str, Any]:
    """A registered prediction. BadInput when the file is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or found.get("prediction") != VERSION:
            raise ValueError(f"is not a prediction of version {VERSION}")  # noqa: TRY301
    except (OSError, ValueError) as error:
        raise BadInput([Problem(str(path), None, None, "", None, f"cannot be read: {error}")]) from error
    return found


def against(prediction: Mapping[str, Any], scores: Mapping[str, Any], timeline: Timeline) -> Against:
    """Hold what was observed against what was registered."""
    from gameday.scores.kpis import KPIS

    with_people = any(event.source == BY_PEOPLE for event in timeline)
    rows, skipped = [], []
    observed = {result["kpi"]: result for dimension in scores.get("dimensions", {}).values() for result in dimension["results"]}
    for name, spread in prediction["kpis"].items():
        result, kpi = observed.get(name), KPIS.get(name)
        if kpi is None or result is None:
            continue
        if name in OWN_WRITES:
            skipped.append((name, "the day's writers write at a rate of their own; compare failover.rpo_s"))
        elif name.startswith(PEOPLE) and not with_people:
            skipped.append((name, "no people took part"))
        elif result["value"] is None and result["censored_at"] is None:
            skipped.append((name, result["note"] or "it could not be observed"))
        else:
            value = math.inf if result["value"] is None else float(result["value"])
            rows.append(Row(name, kpi.title, kpi.unit, Spread.from_json(spread), value))
    times, titles = stage_times(timeline), {stage: f"until {title}" for stage, _, title in STAGES}
    stages = [
        Row(stage, titles[stage], "s", Spread.from_json(spread), times[stage])
        for stage, spread in prediction["stages"].items()
        if stage in times
    ]
    return Against(tuple(rows), tuple(stages), tuple(skipped), str(prediction["registered"]), int(prediction["replications"]))


def _quantile(ordered: Sequence[float], q: float) -> float:
    """Linear between order statistics; infinite where it touches one that never happened."""
    place = q * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    if math.isinf(high):
        return low if place == math.floor(place) else high
    return low + (high - low) * (place - math.floor(place))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
