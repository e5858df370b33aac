"""Checks of the schedule: kinds of fault, their parameters and targets, and times.

The rule that surprises: two faults may overlap on one target, and effects then add up; but the same kind on the same target twice at
once is taken for a mistake, because one line with a larger parameter says it better.
"""

from __future__ import annotations

from typing import Any

from gameday.faults import Fault, as_tree, faults, problems_with
from gameday.scenario.checks.book import Book, a
from gameday.scenario.tree import MappingNode
from gameday.selectors import KINDS, Kind, Selector, SelectorError
from gameday.units import format_duration

Path = tuple[str | int, ...]

DRAINABLE: tuple[Kind, ...] = ("service", "instance", "database", "zone", "region", "queue", "provider", "group")
"""What can be taken out of service for maintenance."""


def check_schedule(book: Book) -> None:
    """Faults, maintenance, background."""
    schedule = book.scenario.schedule
    windows: list[tuple[str, float, float, Path]] = []
    for number, planned in enumerate(schedule.faults):
        path: Path = ("schedule", "faults", number)
        _fault(book, path, planned.fault, planned.target, planned.parameters)
        _inside(book, (*path, "at"), planned.at)
        end = book.scenario.duration if planned.lasts is None else planned.at + planned.lasts
        windows.append((f"{planned.fault} {_canonical(planned.target)}", planned.at, end, path))
    _overlaps(book, windows)
    windows = []
    for number, work in enumerate(schedule.maintenance):
        path = ("schedule", "maintenance", number)
        book.selector((*path, "target"), work.target, DRAINABLE)
        _inside(book, (*path, "at"), work.at)
        windows.append((f"maintenance of {_canonical(work.target)}", work.at, work.at + work.lasts, path))
    _overlaps(book, windows)
    for number, failures in enumerate(schedule.background):
        _fault(book, ("schedule", "background", number), failures.fault, failures.target, failures.parameters)


def _canonical(text: str) -> str:
    try:
        return str(Selector.parse(text))
    except SelectorError:
        return text


def _inside(book: Book, path: Path, at: float) -> None:
    duration = book.scenario.duration
    if at >= duration > 0:
        book.wrong(path, f"is not before the end of the day, at {format_duration(duration)}", value=format_duration(at))


def _overlaps(book: Book, windows: list[tuple[str, float, float, Path]]) -> None:
    for number, (what, start, end, path) in enumerate(windows):
        for other, other_start, other_end, other_path in windows[:number]:
            if what == other and start < other_end and other_start < end:
                book.wrong(
                    path, f"{what} overlaps {'.'.join(map(str, other_path))}, which is the same on the same target", value=None
                )
                break


def _fault(book: Book, path: Path, name: str, target: str, parameters: dict[str, Any]) -> None:
    found = book.selector((*path, "target"), target)
    if name not in faults():
        message = f"there is no such fault; faults are {', '.join(faults())}"
        book.wrong((*path, "fault"), message, value=name, candidates=faults())
        return
    kind = faults()[name]
    if found is not None:
        _target(book, (*path, "target"), kind, found[0], target)
    _parameters(book, path, name, parameters)


def _target(book: Book, path: Path, kind: type[Fault], selector: Selector, text: str) -> None:
    """Whether the fault can hit it; a group must hold nothing that it cannot hit."""
    if selector.kind not in kind.targets:
        allowed = ", ".join(each for each in KINDS if each in kind.targets)
        book.wrong(path, f"{kind.name} cannot hit {a(selector.kind)}; it can hit {allowed}", value=text)
        return
    for leaf in book.topology.leaves(selector):
        if leaf.kind not in kind.targets:
            book.wrong(path, f"{kind.name} cannot hit {a(leaf.kind)}, and the group contains {leaf}", value=text)
            return


def _parameters(book: Book, path: Path, name: str, parameters: dict[str, Any]) -> None:
    """Each at its own place where the file has one; a fault on one line has one place."""
    node = book.document.node((*path, "with"))
    if not isinstance(node, MappingNode):
        node = as_tree(parameters, book.document.position(path))
    field = ".".join(map(str, (*path, "with")))
    for problem in problems_with(name, node, field):
        book.checks.problems.append(problem)
