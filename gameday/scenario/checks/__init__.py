"""Cross references of a scenario: everything that no field can tell by itself, found at once.

The rule that surprises: what is allowed but unwise (a timeout longer than its caller's, a single point of failure) is no problem
here. It is what a game day teaches; `gameday describe` warns of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gameday.scenario.checks.book import Book
    from gameday.scenario.model import Scenario
    from gameday.scenario.tree import Document

__all__ = ["check"]

MILESTONES = ("detected", "declared", "first_public_update", "failover", "mitigated", "resolved")
"""Milestones of a published timeline."""


def check(scenario: Scenario, document: Document) -> None:
    """Raises BadInput with every cross reference that is wrong, each with its place in the document it came from."""
    from gameday.scenario.checks.book import Book
    from gameday.scenario.checks.communication import check_communication
    from gameday.scenario.checks.graph import check_graph
    from gameday.scenario.checks.load import check_load
    from gameday.scenario.checks.monitoring import check_monitoring
    from gameday.scenario.checks.objectives import check_objectives
    from gameday.scenario.checks.policies import check_policies
    from gameday.scenario.checks.quantities import check_quantities
    from gameday.scenario.checks.response import check_response
    from gameday.scenario.checks.schedule import check_schedule
    from gameday.scenario.checks.system import check_system

    book = Book(scenario, document)
    _day(book)
    for part in (
        check_quantities,
        check_system,
        check_graph,
        check_load,
        check_schedule,
        check_policies,
        check_monitoring,
        check_response,
        check_communication,
        check_objectives,
    ):
        part(book)
    book.checks.raise_if_any()


def _day(book: Book) -> None:
    """The day as a whole."""
    from gameday.units import format_duration

    scenario = book.scenario
    if scenario.starts.utcoffset() is None:
        message = "needs an offset from UTC, e.g. 2026-03-04T02:00:00+01:00: it decides who is asleep"
        book.wrong(("starts",), message, value=scenario.starts.isoformat())
    if scenario.warmup >= scenario.duration > 0:
        message = f"leaves nothing to judge: the day is {format_duration(scenario.duration)} long"
        book.wrong(("warmup",), message, value=format_duration(scenario.warmup))
    if scenario.published is not None:
        for name in scenario.published.milestones:
            book.known(("published", "milestones", name), name, MILESTONES, "milestone", of_key=True)
