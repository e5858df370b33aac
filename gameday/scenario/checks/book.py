"""What all checks share: the scenario, the document it came from, and ways to say that something is wrong.

The rule that surprises: paths use the names of the file (`for`, `with`), not those of the models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from zoneinfo import available_timezones

from pydantic import BaseModel

from gameday.errors import Problem, nearest
from gameday.scenario.model import Scenario
from gameday.scenario.tree import Document, ListNode, MappingNode, Node, Path
from gameday.scenario.validation import Checks
from gameday.selectors import Kind, Selector, SelectorError
from gameday.topology import Ref, Topology

_NOT_GIVEN: Any = object()


class Book:
    """Collects what is wrong with one scenario."""

    def __init__(self, scenario: Scenario, document: Document) -> None:
        """Reads nothing yet."""
        self.scenario = scenario
        self.system = scenario.system
        self.document = document
        self.checks = Checks(document)
        self.topology = Topology(scenario.system)

    def wrong(
        self, path: Path, message: str, *, value: object = _NOT_GIVEN, candidates: Iterable[str] = (), of_key: bool = False
    ) -> None:
        """What is at `path` is wrong; without a value, the one in the file is shown."""
        if value is _NOT_GIVEN:
            self.checks.problem(path, message, candidates=candidates, of_key=of_key)
        else:
            self.checks.problem(path, message, value=value, candidates=candidates, of_key=of_key)

    def known(self, path: Path, name: str, names: Iterable[str], what: str, *, of_key: bool = False) -> bool:
        """Whether there is such a thing; a problem when there is not."""
        words = list(names)
        if name in words:
            return True
        there = "" if words else f": the scenario has no {what} at all"
        self.wrong(path, f"there is no such {what}{there}", value=name, candidates=words, of_key=of_key)
        return False

    def selector(self, path: Path, text: str, kinds: Iterable[Kind] | None = None) -> tuple[Selector, frozenset[Ref]] | None:
        """The selector and what it means; a problem when it cannot be read, names nothing, or is of another kind."""
        try:
            selector = Selector.parse(text)
            if kinds is not None and selector.kind not in kinds:
                allowed = ", ".join(kinds)
                self.wrong(path, f"{a(selector.kind)} cannot stand here; allowed are {allowed}", value=text)
                return None
            return selector, self.topology.resolve(selector)
        except SelectorError as error:
            meant = error.suggestion
            if meant is not None and error.wrong is not None:
                meant = text.replace(error.wrong, meant, 1)
            self.wrong(path, error.message, value=text, candidates=[meant] if meant else [])
            return None

    def place(self, path: Path, text: str) -> None:
        """`outside`, `region/<name>` or `zone/<name>`."""
        if text == "outside":
            return
        if "/" not in text:
            self.wrong(path, "must be outside, region/<name> or zone/<name>", value=text, candidates=["outside"])
            return
        self.selector(path, text, ("region", "zone"))

    def role(self, path: Path, role: str, why: str) -> None:
        """A role that somebody can take."""
        if role not in self.scenario.response.roles:
            message = f"nobody has this role, so {why}; roles are filled in response.roles"
            self.wrong(path, message, value=role, candidates=self.scenario.response.roles)

    def adopt(self, problems: Iterable[Problem]) -> None:
        """Problems found by those who know a part best, who do not know the file: they get their place in it."""
        for problem in problems:
            path = path_of(problem.field, self.document)
            position = self.document.position(path)
            suggestion = problem.suggestion
            if problem.field.endswith((".timezone", ".location")):
                suggestion = nearest(problem.value, sorted(available_timezones()))
            placed = replace(problem, file=position.file, line=position.line, column=position.column, suggestion=suggestion)
            self.checks.problems.append(placed)


def a(noun: str) -> str:
    """The noun with its article."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def path_of(field: str, document: Document) -> Path:
    """The path a dotted field stands for; names may hold dots, so the longest key that exists is taken."""
    parts, path = field.split("."), list[str | int]()
    node: Node | None = document.root
    while parts:
        taken, step = 1, parts[0]
        if isinstance(node, MappingNode):
            names = [(n, ".".join(parts[:n])) for n in range(len(parts), 0, -1)]
            taken, step = next(((n, name) for n, name in names if name in node.entries), (1, parts[0]))
        path.append(int(step) if isinstance(node, ListNode) and step.isdigit() else step)
        node = document.node(path)
        parts = parts[taken:]
    return tuple(path)


def models_in(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], BaseModel]]:
    """Every model in a model with its path, outer ones first."""
    if isinstance(value, BaseModel):
        yield path, value
        for name, info in type(value).model_fields.items():
            yield from models_in(getattr(value, name), (*path, info.alias or name))
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from models_in(below, (*path, key))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from models_in(below, (*path, number))
