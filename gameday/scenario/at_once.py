"""One scenario from one document, or everything that is wrong with it: replayed files, values and references together.

The rule that surprises: references are checked even where values are wrong, in copies with the values repaired (`repair`). A reference
is told when it is wrong however the values are mended; one that may come right with them waits until they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from pydantic import ValidationError

from gameday.errors import BadInput, Problem
from gameday.scenario.calendars import with_shifts
from gameday.scenario.change_files import with_changes
from gameday.scenario.checks import check
from gameday.scenario.checks.book import path_of
from gameday.scenario.made_up import examples_in, names_in
from gameday.scenario.model import Scenario
from gameday.scenario.repair import Repair
from gameday.scenario.replay import with_counts
from gameday.scenario.tree import Document, plain
from gameday.scenario.validation import in_reading_order, validate
from gameday.scenario.wording import Shape

MOST_WAYS = 32
"""Ways in which a copy is filled; a reference that needs more to be sure of waits until the values are mended."""


class _NotCheckedError(Exception):
    """A repaired copy that cannot be checked."""


def scenario_of(document: Document) -> Scenario:
    """The scenario, checked. Raises BadInput with everything that is wrong, in reading order."""
    problems: list[Problem] = []
    for fill in (with_counts, with_shifts, with_changes):
        try:
            fill(document)
        except BadInput as bad:
            problems += bad.problems
    try:
        scenario = validate(Scenario, document)
    except BadInput as bad:
        told = {problem.field for problem in bad.problems}
        unread = {problem.field for problem in problems}
        problems = [*bad.problems, *(problem for problem in problems if problem.field not in told)]
        problems += _references(document, unread)
    else:
        unread = {problem.field for problem in problems}
        problems += _elsewhere(_references_of(scenario, document), unread)
    if problems:
        raise BadInput(in_reading_order(problems))
    return scenario


def _references(document: Document, unread: set[str]) -> list[Problem]:
    """References that stay wrong however the wrong values are mended; `unread` are places of files that could not be read."""
    repair = Repair(Scenario, document)
    if not repair.succeeds():
        return []
    try:
        found = _elsewhere(_checked(repair, document), repair.wrong | unread)
        remaining = [each for each in found if repair.lost.isdisjoint(names_in(each.value))]
        missed = _missed(found)
        there = list(dict.fromkeys(names_in(document.data)))
        fill = partial(repair.fill, missed=missed, there=there, names=())
        remaining = _kept(repair, document, remaining, range(1, repair.ways(missed)), fill)
        doubtful = [each for each in remaining if _about(each, document) & repair.nameless]
        names = list(dict.fromkeys([*_missed(doubtful), *examples_in(Shape(Scenario), document.data)]))
        ways = range(repair.ways(missed), repair.ways_with_names(names))
        kept = _kept(repair, document, doubtful, ways, partial(fill, names=names))
    except _NotCheckedError:
        return []
    return [each for each in remaining if each in kept or each not in doubtful]


def _kept(repair: Repair, document: Document, problems: list[Problem], ways: range, fill: Callable[[int], None]) -> list[Problem]:
    """The problems that are there in all of the ways; none when there are too many ways."""
    if len(ways) > MOST_WAYS:
        return []
    for way in ways:
        if not problems:
            break
        fill(way)
        found = set(_checked(repair, document))
        problems = [problem for problem in problems if problem in found]
    return problems


def _checked(repair: Repair, document: Document) -> list[Problem]:
    """References that are wrong in the copy as it is now. A check may take for granted what no copy gives it."""
    try:
        return _references_of(repair.made(), document)
    except (ValidationError, ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        raise _NotCheckedError from None


def _references_of(scenario: Scenario, document: Document) -> list[Problem]:
    try:
        check(scenario, document)
    except BadInput as bad:
        return bad.problems
    return []


def _elsewhere(problems: Iterable[Problem], wrong: set[str]) -> list[Problem]:
    """The problems that are neither at nor below a wrong place."""

    def above(field: str) -> set[str]:
        parts = field.split(".")
        return {".".join(parts[:length]) for length in range(1, len(parts) + 1)}

    return [problem for problem in problems if not above(problem.field) & wrong]


def _missed(problems: Iterable[Problem]) -> list[str]:
    """Names that may be missing."""
    return list(dict.fromkeys(name for problem in problems for name in names_in(problem.value or problem.message)))


def _about(problem: Problem, document: Document) -> set[str]:
    """Names that a problem mentions, and those that stand in its place."""
    node = document.node(path_of(problem.field, document))
    return {*names_in(problem.value), *names_in(problem.message), *names_in(None if node is None else plain(node))}
