"""Many replications, one judgement: the content of `scores.json`.

The rule that surprises: of each replication one number per KPI is kept, not its scorecard; whole results are kept of the first replication
only, whose timeline is in the run folder, and a sentence each of the worst. A hard failure in one replication caps the run at U.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gameday.scores.grading import worst
from gameday.scores.kpis import DIMENSIONS, KPIS, Target, default_target, format_target, format_value
from gameday.scores.model import Grade, Result
from gameday.scores.objectives import EXIT_CODES, Outcome, Verdict, as_json, judge, verdict
from gameday.scores.replications import ReplicationScores
from gameday.scores.samples import KpiSamples, Samples
from gameday.scores.scoring import scenario_targets

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.statistics import Quantile

SCHEMA: Final = 1
"""Version of the layout of `scores.json`; `scores.schema.json` beside this file describes it."""
WORST_KEPT: Final = 5
"""Replications of which it is told why they went badly."""
_MOST_NAMED: Final = 20
_MILESTONES: Final[Mapping[str, str]] = {
    "detected": "detection.time_to_detect",
    "declared": "response.time_to_declare",
    "first_public_update": "communication.time_to_first_update",
    "failover": "failover.rto",
    "mitigated": "response.time_to_mitigate",
    "resolved": "response.time_to_resolve",
}
"""Milestones of a published incident and the KPI that simulates each."""


class Aggregate:
    """Takes in the scores of replications, in any order, and judges them together."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        """Of the scenario, its name, objectives, currency and published milestones are used."""
        self._scenario = scenario
        self._seed = seed
        self._targets = scenario_targets(scenario)
        self._samples = Samples()
        self._shown: ReplicationScores | None = None
        self._worst: list[ReplicationScores] = []
        self._hard: dict[str, tuple[list[int], str]] = {}
        """KPI to the replications in which it failed hard, at most `_MOST_NAMED`, and why in the first of them."""

    def add(self, scores: ReplicationScores) -> None:
        """Take in one replication."""
        self._samples.add(scores.replication, scores.results)
        if self._shown is None or scores.replication < self._shown.replication:
            self._shown = scores
        self._worst = sorted([*self._worst, scores], key=_badness, reverse=True)[:WORST_KEPT]
        for result in scores.hard_failures:
            numbers, note = self._hard.get(result.kpi, ([], result.note))
            if not numbers or scores.replication < min(numbers):
                note = result.note
            self._hard[result.kpi] = (sorted([*numbers, scores.replication])[:_MOST_NAMED], note)

    @property
    def samples(self) -> Mapping[str, KpiSamples]:
        """The values of every KPI so far."""
        return self._samples.of

    def worst(self) -> tuple[int, ...]:
        """Numbers of the replications that went worst so far, the worst first."""
        return tuple(scores.replication for scores in self._worst)

    def verdict(self) -> Verdict:
        """Whether the objectives are met."""
        return verdict(self._outcomes(), hard_failures=bool(self._hard))

    def exit_code(self) -> int:
        """0 met, 1 not met, 3 inconclusive."""
        return EXIT_CODES[self.verdict()]

    def scores(self) -> dict[str, Any]:
        """The content of `scores.json`."""
        assert self._shown is not None, "there is something to judge"
        numbers = self._samples.replications
        assert len(set(numbers)) == len(numbers), "every replication is added once"
        outcomes = self._outcomes()
        dimensions = {name: self._dimension(name) for name in DIMENSIONS if name in self._shown.dimensions}
        grade = worst(Grade(str(dimension["grade"])) for dimension in dimensions.values())
        content: dict[str, Any] = {
            "schema": SCHEMA,
            "scenario": self._scenario.name,
            "seed": self._seed,
            "replications": len(self._samples),
            "grade": grade,
            "verdict": verdict(outcomes, hard_failures=bool(self._hard)),
            "dimensions": dimensions,
            "objectives": [as_json(outcome) for outcome in outcomes],
            "hard_failures": [
                {"kpi": kpi, "why": note, "count": self._samples.of[kpi].missed_hard, "replications": numbers}
                for kpi, (numbers, note) in sorted(self._hard.items())
            ],
            "worst": [_worst_row(scores) for scores in self._worst],
        }
        if self._scenario.published is not None:
            content["milestones"] = self._milestones(self._scenario.published.milestones)
        return content

    def write_samples(self, path: Path) -> None:
        """Write `replications.parquet`: one row per replication, one column per KPI."""
        self._samples.write_parquet(path)

    def _outcomes(self) -> list[Outcome]:
        return [judge(one, self._samples.of.get(one.kpi)) for one in self._scenario.objectives if one.kpi in KPIS]

    def _dimension(self, name: str) -> dict[str, Any]:
        assert self._shown is not None
        samples = [self._samples.of[kpi] for kpi in KPIS if kpi in self._samples.of and KPIS[kpi].dimension == name]
        shown = {result.kpi: result for result in self._shown.results}
        failed = next((one for one in samples if one.missed_hard), None)
        critical = [one for one in samples if KPIS[one.kpi].critical]
        grade = Grade.U if failed else worst(one.grade for one in critical)
        deciding = failed or next((one for one in critical if one.grade is grade), None)
        reason = self._shown.dimensions[name][1]
        if len(self._samples) > 1:
            reason = "no critical KPI was measured" if deciding is None else self._reason(deciding)
        return {"grade": grade, "reason": reason, "results": [self._result(one, shown.get(one.kpi)) for one in samples]}

    def _result(self, samples: KpiSamples, shown: Result | None) -> dict[str, Any]:
        """One KPI: the value and evidence of the replication that is shown, the grade and the statistics of all."""
        kpi = KPIS[samples.kpi]
        target = self._target(samples.kpi) or (shown.target if shown else None)
        content: dict[str, Any] = {
            "kpi": kpi.name,
            "value": shown.value if shown else None,
            "unit": kpi.unit,
            "target": format_target(kpi, target) if target else None,
            "grade": samples.grade,
            "note": shown.note if shown else "",
            "incident": shown.incident if shown else None,
            "censored_at": shown.censored_at if shown else None,
            "evidence": [
                {"index": one.index, "t": one.t, "kind": one.kind, "subject": one.subject}
                for one in (shown.evidence if shown else ())
            ],
            "unknown": samples.unknown,
            "not_applicable": samples.not_applicable,
            "samples": len(samples.values),
        }
        if len(samples.values) > 1:
            content |= _statistics(samples, target)
        return content

    def _target(self, kpi: str) -> Target | None:
        return self._targets.get(kpi) or default_target(KPIS[kpi])

    def _reason(self, samples: KpiSamples) -> str:
        """What decided a dimension, over the replications."""
        kpi = KPIS[samples.kpi]
        n, currency = len(samples.values), self._scenario.system.money.currency
        if samples.missed_hard:
            return f"{kpi.title}: a hard failure in {samples.missed_hard} of {n} replications"
        if samples.grade is Grade.UNKNOWN:
            return f"{kpi.title}: could not be judged in {samples.unknown} of {n} replications"
        p90 = samples.quantile(0.9)
        if p90 is None:
            return f"{kpi.title}: did not apply"
        if kpi.unit == "bool":
            return f"{kpi.title}: yes in {round(samples.judged().sum())} of {p90.n} replications"
        if p90.censored:
            text = f"{kpi.title}: not within the run in {p90.n_censored} of {p90.n} replications"
        else:
            text = f"{kpi.title}: {format_value(kpi, p90.value, currency)} at p90 of {p90.n} replications"
        target = self._target(samples.kpi)
        return f"{text}, target {format_target(kpi, target, currency)}" if target else text

    def _milestones(self, published: Mapping[str, float]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in published:
            samples = self._samples.of.get(_MILESTONES.get(name, ""))
            if samples is not None and len(samples.judged()):
                values = {label: samples.quantile(q) for label, q in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9))}
                found[name] = {
                    "kpi": samples.kpi,
                    "n": len(samples.judged()),
                    **{label: _quantile_json(one) for label, one in values.items() if one is not None},
                }
        return found


def _badness(scores: ReplicationScores) -> tuple[tuple[int, int, float, float], int]:
    """Of two that are equally bad, the one with the lower number counts as worse, so that the order of coming does not matter."""
    return scores.badness, -scores.replication


def _worst_row(scores: ReplicationScores) -> dict[str, Any]:
    return {
        "replication": scores.replication,
        "grade": scores.grade,
        "why": scores.why,
        "hard_failures": [result.kpi for result in scores.hard_failures],
        "lost_requests": scores.lost_requests,
        "lost_money": scores.lost_money,
    }


def _statistics(samples: KpiSamples, target: Target | None) -> dict[str, Any]:
    """Quantiles towards the bad side, and the share that reaches the target; nothing without a value.

    A replication passes when its own grade is P, so targets that follow from policies (a recovery point per database) count too.
    """
    from gameday.statistics import share

    found = {label: one for label, q in (("p50", 0.5), ("p90", 0.9)) if (one := samples.quantile(q)) is not None}
    content: dict[str, Any] = {label: _quantile_json(one) for label, one in found.items()}
    graded = sum(samples.grades[grade] for grade in (Grade.P, Grade.S, Grade.M, Grade.U))
    if graded and (target is not None or samples.grades[Grade.UNGRADED] == 0):
        passed = share(samples.grades[Grade.P], graded)
        content["pass_rate"] = {"value": passed.value, "low": passed.low, "high": passed.high}
    return content


def _quantile_json(one: Quantile) -> dict[str, Any]:
    assert math.isfinite(one.value), "a quantile that is cut off has its bound as value"
    return {"value": one.value, "low": one.low, "high": one.high, "censored": one.censored, "n": one.n}
