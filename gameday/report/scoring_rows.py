"""The rows of `scores.json` as reports print them: dimensions, KPIs, objectives, hard failures, worst replications, milestones.

The rule that surprises: numbers are only put into words here, never computed; what is printed is what the file says. A key that a
file lacks is "not known", so the scores of an older version can still be shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gameday.report import words
from gameday.report.plots.published import Milestone
from gameday.scores.kpis import DIMENSIONS, KPIS
from gameday.scores.taking_part import NOT_ASSESSED

Scores = Mapping[str, Any]

STATISTIC_WORDS: Final[Mapping[str, str]] = {
    "p50": "p50",
    "p90": "p90",
    "p95": "p95",
    "p99": "p99",
    "worst": "worst",
    "pass_rate": "share that meets it",
}


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """An event that proves a result."""

    t: float
    kind: str
    subject: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class KpiRow:
    """One KPI, in words."""

    kpi: str
    dimension: str
    title: str
    definition: str
    source: str
    critical: bool
    hard: bool
    grade: str
    target: str
    value: str
    """In the run that is shown (the first replication)."""
    p50: str
    p50_interval: str
    p90: str
    p90_interval: str
    pass_rate: str
    note: str
    unknown: int
    """Replications in which it could not be judged."""
    not_applicable: int
    evidence: tuple[EvidenceRow, ...]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DimensionRow:
    """One dimension: its grade, what decided it, its KPIs."""

    name: str
    grade: str
    reason: str
    kpis: tuple[KpiRow, ...]


@dataclass(frozen=True, slots=True)
class ObjectiveRow:
    """One objective of the scenario, and whether it was met; `met` None = it could not be judged."""

    kpi: str
    title: str
    target: str
    statistic: str
    value: str
    interval: str
    met: bool | None
    weight: str
    gate: bool
    why: str

    @property
    def outcome(self) -> str:
        """`met`, `missed` or `unknown`."""
        return "unknown" if self.met is None else "met" if self.met else "missed"


@dataclass(frozen=True, slots=True)
class WorstRow:
    """One of the replications that went worst."""

    replication: int
    grade: str
    why: str
    lost: str
    """Requests, and money where it has a price."""


def dimension_rows(scores: Scores, currency: str | None = None) -> list[DimensionRow]:
    """The dimensions in the order of an incident; ones that this version does not know come last."""
    found = scores.get("dimensions") or {}
    names = [name for name in DIMENSIONS if name in found] + [name for name in found if name not in DIMENSIONS]
    rows = []
    for name in names:
        one = found[name]
        kpis = tuple(_kpi_row(name, result, currency) for result in one.get("results") or ())
        rows.append(DimensionRow(name, grade_text(one.get("grade")), str(one.get("reason") or ""), kpis))
    return rows


def grade_text(grade: object) -> str:
    """A grade as the file has it; a missing one is UNKNOWN."""
    return str(grade) if grade else "UNKNOWN"


def _kpi_row(dimension: str, result: Mapping[str, Any], currency: str | None) -> KpiRow:
    name, unit = str(result.get("kpi", "")), str(result.get("unit") or "")
    entry = KPIS.get(name)
    p50, p90 = result.get("p50"), result.get("p90")
    return KpiRow(
        kpi=name,
        dimension=dimension,
        title=entry.title if entry else "",
        definition=entry.definition if entry else "",
        source=entry.source if entry else "",
        critical=bool(entry and entry.critical),
        hard=bool(entry and entry.hard),
        grade=grade_text(result.get("grade")),
        target=words.target(name, result.get("target"), currency),
        value=_value_of(name, result, unit, currency),
        p50=words.estimate(name, p50, unit, currency) if p50 else "",
        p50_interval=words.interval(name, p50, unit, currency),
        p90=words.estimate(name, p90, unit, currency) if p90 else "",
        p90_interval=words.interval(name, p90, unit, currency),
        pass_rate=words.shares(result.get("pass_rate")) if result.get("pass_rate") else "",
        note=str(result.get("note") or ""),
        unknown=_count(result.get("unknown")),
        not_applicable=_count(result.get("not_applicable")),
        evidence=tuple(_evidence(one) for one in result.get("evidence") or () if isinstance(one, Mapping)),
        raw=result,
    )


def not_assessed(dimensions: Sequence[DimensionRow]) -> str:
    """What could not be assessed for want of people, as a sentence: whole dimensions, and single KPIs of the others; empty when all was."""
    names = []
    for one in dimensions:
        left = [kpi.kpi for kpi in one.kpis if kpi.note == NOT_ASSESSED]
        judged = any(kpi.grade != "NOT_APPLICABLE" for kpi in one.kpis)
        names += left if judged else [one.name] if left else []
    return f"no people took part, so the grade leaves out what only they could have shown: {', '.join(names)}" if names else ""


def _value_of(name: str, result: Mapping[str, Any], unit: str, currency: str | None) -> str:
    value, censored = result.get("value"), result.get("censored_at")
    if isinstance(value, int | float):
        return words.value(name, float(value), unit, currency)
    if censored is not None:
        return f"never, within {words.duration(float(censored))}" if unit == "s" else "never"
    if result.get("note") == NOT_ASSESSED:
        return "not assessed"
    if result.get("grade") == "NOT_APPLICABLE" or (result.get("not_applicable") and not result.get("unknown")):
        return "does not apply"
    return "no value" if result.get("not_applicable") else "not known"


def _count(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _evidence(one: Mapping[str, Any]) -> EvidenceRow:
    index = one.get("index")
    return EvidenceRow(
        float(one.get("t") or 0.0),
        str(one.get("kind") or ""),
        str(one.get("subject") or ""),
        index if isinstance(index, int) else None,
    )


def objective_rows(scores: Scores, currency: str | None = None) -> list[ObjectiveRow]:
    """The objectives, in the order of the scenario."""
    rows = []
    for one in scores.get("objectives") or ():
        kpi = str(one.get("kpi", ""))
        statistic = str(one.get("statistic") or "")
        met = one.get("met")
        target = words.target(kpi, one.get("target"), currency)
        is_share = statistic == "pass_rate"
        if is_share and one.get("at_least") is not None:
            target += f" in at least {words.percent(float(one['at_least']))}"
        value = words.shares({"value": one.get("value")}) if is_share else words.estimate(kpi, one, "", currency)
        interval = _share_interval(one) if is_share else words.interval(kpi, one, "", currency)
        rows.append(
            ObjectiveRow(
                kpi=kpi,
                title=KPIS[kpi].title if kpi in KPIS else "",
                target=target,
                statistic=STATISTIC_WORDS.get(statistic, statistic),
                value=value,
                interval=interval,
                met=met if isinstance(met, bool) else None,
                weight=f"{float(one.get('weight') or 1.0):g}",
                gate=bool(one.get("gate")),
                why=_why(one),
            )
        )
    return rows


def _why(one: Mapping[str, Any]) -> str:
    """Why an objective is open, or what was left out; nothing where every replication was judged."""
    why = str(one.get("why") or "")
    return why if one.get("met") is None or one.get("unknown") or one.get("not_applicable") else ""


def _share_interval(one: Mapping[str, Any]) -> str:
    low, high = one.get("low"), one.get("high")
    if low is None or high is None:
        return ""
    return f"{words.percent(float(low))} to {words.percent(float(high))}"


def hard_failures(scores: Scores) -> list[str]:
    """Hard failures, each as a sentence fragment."""
    texts = []
    for one in scores.get("hard_failures") or ():
        if isinstance(one, Mapping):
            kpi = str(one.get("kpi", ""))
            title = KPIS[kpi].title if kpi in KPIS else ""
            said = str(one.get("why") or one.get("reason") or one.get("note") or title)
            texts.append(f"{kpi}: {said}{_times(one)}" if kpi else f"{said}{_times(one)}")
        else:
            texts.append(str(one))
    return texts


def _times(one: Mapping[str, Any]) -> str:
    """In how many replications, and which ones."""
    number, named = one.get("count"), one.get("replications") or []
    if not isinstance(number, int):
        return ""
    which = ", ".join(str(replication) for replication in named[:5])
    more = ", ..." if number > 5 and named else ""
    return f" (in {number} replication{'s' if number != 1 else ''}{': number ' + which + more if which else ''})"


def worst_rows(scores: Scores, currency: str | None = None) -> list[WorstRow]:
    """The replications that went worst, the worst first."""
    rows = []
    for one in scores.get("worst") or ():
        why = one.get("why") or one.get("reason") or ""
        text = "; ".join(str(part) for part in why) if isinstance(why, Sequence) and not isinstance(why, str) else str(why)
        rows.append(WorstRow(int(one.get("replication", 0)), grade_text(one.get("grade")), text, _lost(one, currency)))
    return rows


def _lost(one: Mapping[str, Any], currency: str | None) -> str:
    requests, money = one.get("lost_requests"), one.get("lost_money")
    if not isinstance(requests, int | float):
        return ""
    priced = f", {words.count(float(money))} {currency or ''}".rstrip() if isinstance(money, int | float) and money else ""
    return f"{words.count(float(requests))}{priced}"


def milestone_rows(scores: Scores, published: Mapping[str, float]) -> list[Milestone]:
    """The published milestones with the simulated quantiles that the scores hold for them."""
    simulated = scores.get("milestones") or {}
    rows = []
    for name, published_s in published.items():
        data = simulated.get(name)
        p10, p50, p90 = (_quantile(data, q) for q in (0.1, 0.5, 0.9))
        rows.append(Milestone(name, published_s, p10, p50, p90, _watched(data)))
    return rows


def _watched(data: object) -> float | None:
    """The bound of the quantiles that were cut off by the end of the run."""
    if not isinstance(data, Mapping):
        return None
    cut = [one for one in data.values() if isinstance(one, Mapping) and one.get("censored")]
    return _number(cut[0].get("value")) if cut else None


def _quantile(data: object, q: float) -> float | None:
    """A quantile from what the scores hold: quantiles by name (null or censored = never), or the values themselves."""
    if isinstance(data, Mapping):
        key = f"p{q * 100:.0f}"
        if key not in data:
            return _quantile(data["values"], q) if "values" in data else None
        found = data[key]
        if isinstance(found, Mapping):
            return math.inf if found.get("censored") else _number(found.get("value"))
        return math.inf if found is None and data.get("n", 1) else _number(found)
    if isinstance(data, Sequence) and not isinstance(data, str) and data:
        ordered = sorted(math.inf if value is None else float(value) for value in data)
        return ordered[max(0, math.ceil(q * len(ordered) - 1e-9) - 1)]
    return None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
