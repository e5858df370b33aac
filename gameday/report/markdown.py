"""report.md: the run in a page that fits a pull request.

The rule that surprises: texts of a scenario are escaped for Markdown, so that a title cannot open a table or an image.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from gameday.report import words
from gameday.report.html import command, summary
from gameday.report.prediction import shown_rows
from gameday.report.stations import most_telling

if TYPE_CHECKING:
    from gameday.report.model import ReportData
    from gameday.report.stations import StationRow

_OUTCOMES: Final = {"met": "met", "missed": "**missed**", "unknown": "*unknown*"}


def markdown(data: ReportData) -> str:
    """The report as Markdown."""
    lines = [
        f"# {plain(data.scenario.title)}: {data.grade}",
        "",
        f"**Verdict {plain(data.verdict)}.** Grade {data.grade}: {words.GRADE_WORDS.get(data.grade, data.grade)}. {plain(summary(data))}",
        "",
        plain(data.scenario.teaches),
    ]
    if data.record.interrupted:
        lines += ["", f"**Interrupted:** {data.record.completed} of {data.record.replications} replications were finished."]
    if data.hard_failures:
        lines += ["", "**Hard failures**", "", *(f"- {plain(text)}" for text in data.hard_failures)]
    lines += ["", "## Objectives", "", *_objectives(data)]
    lines += ["", "## Grades", "", *_grades(data)]
    if data.against is not None:
        found = data.against
        inside = f"{len(found.kpis) - len(found.outside)} of {len(found.kpis)} KPIs came out within the predicted 90 %."
        lines += ["", "## Prediction against observation", "", f"{inside} {plain(found.explanation())}", ""]
        cells = [(row.name, row.p5, row.p50, row.p95, row.observed, row.outcome) for row in shown_rows(found.kpis, data.currency)]
        lines += table(("KPI", "p5", "p50", "p95", "observed", "outcome"), cells)
    if data.worst:
        rows = [(str(row.replication), row.grade, row.why, row.lost) for row in data.worst]
        lines += ["", "## Replications that went worst", "", *table(("replication", "grade", "why", "requests lost"), rows)]
    if data.milestones:
        lines += ["", "## Held against the real incident", "", *(f"- {plain(one.verdict())}" for one in data.milestones)]
    lines += ["", "## Lost requests", "", *_lost(data)]
    if data.aftermaths:
        states = [(row.request_class, row.state, row.sentence) for row in data.aftermaths]
        lines += ["", "## Once the cause was gone", "", *table(("class", "state", "why"), states)]
    failed = [row for row in most_telling(data.stations) if row.failed_then]
    if failed:
        lines += ["", "## Where it failed", "", *table(_STATION_HEADS, [_station(row) for row in failed])]
    if data.unknowns:
        lines += ["", "## Not judged", "", *(f"- `{kpi}`: {plain(why)}" for kpi, why in data.unknowns)]
    lines += ["", "## Reproduce", "", "```console", f"$ {command(data)}", "```", "", *_facts(data)]
    return "\n".join(lines) + "\n"


_STATION_HEADS: Final = ("where", "attempts that failed", "finished for nobody", "busiest", "most waiting", "slowest p99")


def _station(row: StationRow) -> tuple[str, ...]:
    slowest = "none done" if row.slowest_s is None else words.duration(row.slowest_s)
    busiest = words.percent(round(row.busiest, 2))
    return row.title, row.why, words.count(row.wasted_then), busiest, words.count(row.longest_queue), slowest


def plain(text: str) -> str:
    """Text on one line with everything escaped that Markdown or HTML would take for more than text."""
    flat = " ".join(text.split())
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", flat)


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A table; the cells are escaped."""
    names = list(heads)
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return lines + [f"| {' | '.join(plain(cell) for cell in row)} |" for row in rows]


def _objectives(data: ReportData) -> list[str]:
    if not data.objectives:
        return ["The scenario sets none."]
    lines = ["| KPI | target | statistic | value | 95 % interval | outcome | gate |", "|---|---|---|---|---|---|---|"]
    for one in data.objectives:
        cells = [f"`{one.kpi}`", *(plain(text) for text in (one.target, one.statistic, one.value, one.interval or "none"))]
        lines.append(f"| {' | '.join(cells)} | {_OUTCOMES[one.outcome]} | {'gate' if one.gate else ''} |")
    return lines


def _grades(data: ReportData) -> list[str]:
    if not data.dimensions:
        return ["The run was not scored."]
    rows = [(one.name, one.grade, one.reason or words.GRADE_WORDS.get(one.grade, "")) for one in data.dimensions]
    return table(("dimension", "grade", "what decided it"), rows)


def _lost(data: ReportData) -> list[str]:
    found = data.accounts
    if not found.rows:
        return ["None, in the first replication." if found.offered else "No requests were recorded."]
    rows = [(row.reason.replace("_", " "), words.count(row.total), words.percent(row.total / found.lost)) for row in found.rows]
    total = ("**sum**", f"**{words.count(found.lost)}**", "")
    lines = table(("reason", "requests", "share"), rows)
    return [*lines, f"| {' | '.join(total)} |", "", "First replication, after the warm-up."]


def _facts(data: ReportData) -> list[str]:
    record = data.record
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    return [
        f"Seed {record.seed}, {record.completed} of {record.replications} replications, {plain(versions)}.",
        f"Scenario SHA-256 `{record.scenario_sha256}`, timeline SHA-256 `{record.timeline_sha256 or 'none'}`.",
    ]
