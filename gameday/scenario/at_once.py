"""One scenario from one document, or everything that is wrong with it: files it replays, types and references together.

The rule that surprises: references are checked even where values are wrong, in copies with the values repaired (`repair`). Told is only
what no repair could cure; the rest waits until the values are mended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from pydantic import ValidationError

from gameday.errors import BadInput, Problem
from gameday.scenario.checks import check
from gameday.scenario.checks.book import path_of
from gameday.scenario.model import Scenario
from gameday.scenario.repair import Repair, names_in
from gameday.scenario.replay import with_counts
from gameday.scenario.tree import Document, plain
from gameday.scenario.validation import in_reading_order, validate

MOST_WAYS = 24
"""Ways in which wrong values are replaced; when more were needed to be sure, references wait until the values are mended."""


def scenario_of(document: Document) -> Scenario:
    """The scenario, checked. Raises BadInput with everything that is wrong, in reading order."""
    problems: list[Problem] = []
    try:
        with_counts(document)
    except BadInput as bad:
        problems += bad.problems
    try:
        scenario = validate(Scenario, document)
    except BadInput as bad:
        told = {problem.field for problem in bad.problems}
        problems = [*bad.problems, *(problem for problem in problems if problem.field not in told)]
        problems += _references(document, problems)
    else:
        problems += [
            problem for problem in _problems(scenario, document) if _elsewhere(problem, {each.field for each in problems})
        ]
    if problems:
        raise BadInput(in_reading_order(problems))
    return scenario


def _references(document: Document, known: Sequence[Problem]) -> list[Problem]:
    """References that stay wrong however the values that are known to be wrong are mended."""
    repair = Repair(Scenario, document)
    if not repair.succeeds():
        return []
    wrong = repair.wrong | {problem.field for problem in known}
    try:
        remaining = [each for each in _problems(repair.made(), document) if _elsewhere(each, wrong)]
        remaining = [each for each in remaining if not _words(each) & repair.lost]
        missed = _missed(remaining)
        remaining = _kept(repair, document, remaining, range(1, repair.ways(missed)), missed, ())
        doubtful = [each for each in remaining if _about(each, document) & repair.nameless]
        names = [*_missed(doubtful), *_examples(document.data)]
        ways = range(repair.ways(missed), repair.ways_with_names(names))
        cured = set(doubtful) - set(_kept(repair, document, doubtful, ways, missed, names))
    except (ValidationError, ArithmeticError, LookupError, TypeError, ValueError):
        return []
    return [each for each in remaining if each not in cured]


def _kept(
    repair: Repair, document: Document, problems: list[Problem], ways: range, missed: Sequence[str], names: Sequence[str]
) -> list[Problem]:
    """The problems that are there in all of the ways; none when there are too many ways."""
    for way in ways:
        if not problems or len(ways) > MOST_WAYS:
            return []
        repair.fill(way, missed, names)
        found = _problems(repair.made(), document)
        problems = [problem for problem in problems if problem in found]
    return problems


def _missed(problems: Sequence[Problem]) -> list[str]:
    """Names that may be missing."""
    return list(dict.fromkeys(chain.from_iterable(names_in(problem.value or problem.message) for problem in problems)))


def _about(problem: Problem, document: Document) -> set[str]:
    """Names that a problem mentions, and those that stand in its place."""
    node = document.node(path_of(problem.field, document))
    return {*names_in(problem.value), *names_in(problem.message), *names_in(None if node is None else plain(node))}


def _examples(value: object, depth: int = 0) -> Iterator[str]:
    """A name out of every table and list that is not deep in the scenario."""
    below = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if isinstance(value, dict | list) and depth > 1:
        yield from (name for name in list(value)[:1] if isinstance(name, str))
    for each in below if depth < 5 else []:
        yield from _examples(each, depth + 1)


def _problems(scenario: Scenario, document: Document) -> list[Problem]:
    try:
        check(scenario, document)
    except BadInput as bad:
        return bad.problems
    return []


def _elsewhere(problem: Problem, wrong: set[str]) -> bool:
    """Whether a problem is neither at nor below a wrong place."""
    steps = problem.field.split(".")
    return not any(".".join(steps[:length]) in wrong for length in range(1, len(steps) + 1))


def _words(problem: Problem) -> set[str]:
    return {problem.field.rpartition(".")[2], *names_in(problem.value)}
