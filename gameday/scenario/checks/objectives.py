"""Checks of the objectives against the table of KPIs: names, statistics, and targets in the KPI's own unit."""

from __future__ import annotations

import re

from gameday.scenario.checks.book import Book
from gameday.scenario.objectives import Objective
from gameday.scores.kpis import KPIS, TargetError, parse_target

_CURRENCY = re.compile(r"[A-Z]{3}\s*$")
Path = tuple[str | int, ...]


def check_objectives(book: Book) -> None:
    """Every objective."""
    for number, objective in enumerate(book.scenario.objectives):
        _objective(book, ("objectives", number), objective)


def _objective(book: Book, path: Path, objective: Objective) -> None:
    if objective.at_least is not None and objective.statistic != "pass_rate":
        book.wrong((*path, "at_least"), f"belongs to the statistic pass_rate, and this one is {objective.statistic}")
    if not book.known((*path, "kpi"), objective.kpi, KPIS, "KPI"):
        return
    kpi = KPIS[objective.kpi]
    if kpi.unit == "bool" and objective.statistic in ("p50", "p90", "p95", "p99"):
        message = f"{kpi.name} is yes or no, which has no {objective.statistic}: use pass_rate or worst"
        book.wrong((*path, "statistic"), message, value=objective.statistic)
    try:
        parse_target(objective.kpi, objective.target)
    except TargetError as error:
        book.wrong(
            (*path, "target"), str(error), value=objective.target, candidates=[error.suggestion] if error.suggestion else []
        )
        return
    written = _CURRENCY.search(str(objective.target)) if kpi.unit == "money" else None
    currency = book.system.money.currency
    if written is not None and written[0].strip() != currency:
        book.wrong((*path, "target"), f"must be in {currency}, the currency of system.money", value=objective.target)
