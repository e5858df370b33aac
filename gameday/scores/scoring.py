"""Runs the scorers over one recording and rolls their results up: KPI, dimension, run.

The rule that surprises: nothing a scorer does can stop the scoring or count as a pass. One that crashes, leaves a KPI out, or says
something about a KPI that is not its own, makes its KPIs UNKNOWN, with the reason. A dimension is as good as its worst critical KPI.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from gameday.scores.case import Case
from gameday.scores.grading import badness, grade_of, worst
from gameday.scores.kpis import DIMENSIONS, KPIS, Target, default_target, format_target, format_value, parse_target
from gameday.scores.model import DimensionScore, Grade, Measure, Recording, Result, Scorecard, not_applicable, unknown
from gameday.scores.registry import Scorer, all_scorers
from gameday.scores.taking_part import assessed

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario

_LONGEST_REASON: Final = 200


def score(recording: Recording, scenario: Scenario, scorers: Sequence[Scorer] | None = None) -> Scorecard:
    """Judge one run. Never raises for what is in the recording: what cannot be judged is UNKNOWN.

    `scorers` replaces the registered ones; KPIs that none of them measures are then left out.
    """
    case = Case(recording, scenario)
    targets = scenario_targets(scenario)
    results: dict[str, Result] = {}
    by_incident: list[Result] = []
    incidents = _incidents_or_reason(case)
    for scorer in all_scorers() if scorers is None else scorers:
        if isinstance(incidents, str):
            found = [_judge(case, unknown(kpi, incidents), targets, None) for kpi in scorer.kpis]
        elif scorer.of_run is not None:
            found = _of_run(case, scorer, targets)
        else:
            each = [result for number in range(incidents) for result in _of_incident(case, scorer, number, targets)]
            by_incident += each
            found = [_worst_incident(case, kpi, each, targets) for kpi in scorer.kpis]
        results |= {result.kpi: result for result in found}
    currency = scenario.system.money.currency
    dimensions = {name: _dimension(name, results, currency) for name in DIMENSIONS if _has_results(name, results)}
    grade = worst(dimension.grade for dimension in dimensions.values())
    return Scorecard(grade, dimensions, tuple(by_incident), incidents if isinstance(incidents, int) else 0)


def scenario_targets(scenario: Scenario) -> Mapping[str, Target]:
    """Targets that the scenario's objectives set; where several speak of one KPI, the strictest judges a single run."""
    found: dict[str, Target] = {}
    for objective in scenario.objectives:
        if objective.kpi not in KPIS:
            continue  # the check of the scenario says so, with the line
        target = parse_target(objective.kpi, objective.target)
        known = found.get(objective.kpi)
        if known is None or _stricter(target, known):
            found[objective.kpi] = target
    return found


def reason_of(result: Result, currency: str | None = None) -> str:
    """What a result says, in a sentence fragment: how it came about, and the target where it was missed."""
    kpi = KPIS[result.kpi]
    text = result.note or kpi.title
    if result.value is not None and not result.note:
        text = f"{kpi.title} {format_value(kpi, result.value, currency)}"
    if result.censored_at is not None:
        waited = format_value(kpi, result.censored_at, currency)
        text = f"{result.note or kpi.title + ': never'} within {waited}" if kpi.unit == "s" else text
    if result.target is not None and result.grade in {Grade.P, Grade.S, Grade.M, Grade.U}:
        text = f"{text}, target {format_target(kpi, result.target, currency).removeprefix('<= ').removeprefix('>= ')}"
    return text


def _incidents_or_reason(case: Case) -> int | str:
    """How many incidents there are, or why nothing can be judged."""
    if not len(case.timeline):
        return "the timeline is empty"
    if case.judged_s <= 0:
        return "the run ended within its warm-up"
    try:
        return len(case.incidents)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the recording is the reason
        return f"the incidents cannot be told apart: {_in_words(error)}"


def _of_run(case: Case, scorer: Scorer, targets: Mapping[str, Target]) -> list[Result]:
    ask = scorer.of_run
    assert ask is not None, "a scorer is asked per run or per incident"
    return [_judge(case, measure, targets, None) for measure in _ask(scorer, lambda: ask(case))]


def _of_incident(case: Case, scorer: Scorer, position: int, targets: Mapping[str, Target]) -> list[Result]:
    ask = scorer.of_incident
    assert ask is not None, "a scorer is asked per run or per incident"
    incident = case.incidents[position]
    measures = _ask(scorer, lambda: ask(case, incident))
    return [_judge(case, measure, targets, incident.number) for measure in measures]


def _ask(scorer: Scorer, ask: Callable[[], Iterable[Measure]]) -> list[Measure]:
    """One measure for each of the scorer's KPIs, whatever it does."""
    found: dict[str, Measure] = {}
    why = "the scorer said nothing about it"
    try:
        for measure in ask():
            assert measure.kpi in scorer.kpis, f"{measure.kpi} is not among {scorer.kpis}"
            assert measure.kpi not in found, f"{measure.kpi} was measured twice"
            assert measure.value is None or not math.isnan(measure.value), f"{measure.kpi} is not a number"
            found[measure.kpi] = measure
    except Exception as error:  # noqa: BLE001 - a scorer that crashes is a missing judgement, not the end of all others
        why = f"the scorer crashed: {_in_words(error)}"
        found = {kpi: unknown(kpi, why) for kpi in scorer.kpis}
    return [found.get(kpi) or unknown(kpi, why) for kpi in scorer.kpis]


def _judge(case: Case, measure: Measure, targets: Mapping[str, Target], incident: int | None) -> Result:
    kpi, measure = KPIS[measure.kpi], assessed(case, measure)
    target = targets.get(kpi.name) or measure.policy_target or default_target(kpi)
    hard_failure = kpi.hard and _misses_hard_limit(measure)
    return Result(
        kpi=kpi.name,
        value=measure.value,
        unit=kpi.unit,
        target=target,
        grade=Grade.U if hard_failure else grade_of(measure, target),
        evidence=tuple(case.evidence(event) for event in dict.fromkeys(measure.events)),
        censored_at=measure.censored_at,
        incident=incident,
        note=measure.note,
        hard_failure=hard_failure,
    )


def _misses_hard_limit(measure: Measure) -> bool:
    """A hard limit is the default target: a scenario that sets a softer one does not make a split brain harmless."""
    limit = default_target(KPIS[measure.kpi])
    assert limit is not None, f"{measure.kpi} is hard and needs a default target"
    return measure.value is not None and not limit.met(measure.value) and not measure.tolerated


def _worst_incident(case: Case, kpi: str, each: list[Result], targets: Mapping[str, Target]) -> Result:
    """The run's result of a KPI that is measured per incident: that of the worst incident."""
    found = [result for result in each if result.kpi == kpi]
    if not found:
        return _judge(case, not_applicable(kpi, "there was no incident"), targets, None)
    return max(found, key=badness)


def _dimension(name: str, results: Mapping[str, Result], currency: str) -> DimensionScore:
    """Graded by the critical KPIs; the reason is that of the one that decided."""
    own = tuple(results[kpi.name] for kpi in KPIS.values() if kpi.dimension == name and kpi.name in results)
    critical = [result for result in own if KPIS[result.kpi].critical]
    deciding = max(critical, key=lambda result: badness(result)[0], default=None)
    if deciding is None:
        return DimensionScore(name, Grade.NOT_APPLICABLE, "no critical KPI was measured", own)
    failed = next((result for result in own if result.hard_failure), None)
    if failed is not None:
        return DimensionScore(name, Grade.U, reason_of(failed, currency), own)
    return DimensionScore(name, deciding.grade, reason_of(deciding, currency), own)


def _has_results(name: str, results: Mapping[str, Result]) -> bool:
    return any(KPIS[kpi].dimension == name for kpi in results)


def _stricter(target: Target, known: Target) -> bool:
    return target.value < known.value if known.op.startswith("<") else target.value > known.value


def _in_words(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:_LONGEST_REASON] if text else type(error).__name__
