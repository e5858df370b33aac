"""Checks of the graph of calls: circles, and chains too long to follow.

The rule that surprises: a circle of optional or asynchronous calls is allowed when each round makes fewer calls than the one before.
"""

from __future__ import annotations

from dataclasses import dataclass

from gameday.scenario.checks.book import Book
from gameday.selectors import target_of

LONGEST_CHAIN = 100
"""Services that may call one another in a row."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """One call from a service to a service, or through a queue to its consumer."""

    target: str
    number: int
    calls: float
    binding: bool
    """Whether the caller waits for it and fails with it."""


def check_graph(book: Book) -> None:
    """Circles, per class of requests; each is told once."""
    told: set[frozenset[str]] = set()
    for request_class in book.scenario.load.classes:
        _Walk(book, _steps(book, request_class), told).all()


def _steps(book: Book, request_class: str) -> dict[str, list[_Step]]:
    steps: dict[str, list[_Step]] = {}
    for name, service in book.system.services.items():
        steps[name] = []
        for number, call in enumerate(service.calls):
            if call.classes is not None and request_class not in call.classes:
                continue
            kind, _, target = target_of(call.to).partition("/")
            binding = call.required and call.mode == "sync" and kind == "service"
            if kind == "queue" and target in book.system.queues:
                target = book.system.queues[target].consumer
            if kind in ("service", "queue") and target in book.system.services:
                steps[name].append(_Step(target, number, call.calls, binding))
    return steps


class _Walk:
    """Depth first over the graph of one class."""

    def __init__(self, book: Book, steps: dict[str, list[_Step]], told: set[frozenset[str]]) -> None:
        self.book = book
        self.steps = steps
        self.told = told
        self.done: set[str] = set()
        self.trail: list[tuple[str, _Step]] = []

    def all(self) -> None:
        for name in self.steps:
            self.visit(name)

    def visit(self, name: str) -> None:
        if name in self.done:
            return
        if len(self.trail) > LONGEST_CHAIN:
            path = ("system", "services", self.trail[0][0])
            self.book.wrong(path, f"begins a chain of more than {LONGEST_CHAIN} services that call one another", value=None)
            self.done.update(self.steps)
            return
        callers = [caller for caller, _ in self.trail]
        if name in callers:
            self.circle(self.trail[callers.index(name) :])
            return
        for step in self.steps[name]:
            self.trail.append((name, step))
            self.visit(step.target)
            self.trail.pop()
        self.done.add(name)

    def circle(self, round_trip: list[tuple[str, _Step]]) -> None:
        names = [caller for caller, _ in round_trip]
        growth = 1.0
        for _, step in round_trip:
            growth *= step.calls
        binding = all(step.binding for _, step in round_trip)
        if frozenset(names) in self.told or not (binding or growth >= 1.0):
            return
        self.told.add(frozenset(names))
        caller, step = round_trip[-1]
        circle = " -> ".join([*names, names[0]])
        what = "required calls go round in a circle" if binding else "calls go round in a circle without becoming fewer"
        path: Path = ("system", "services", caller, "calls", step.number, "to")
        self.book.wrong(path, f"{what}: {circle}")
