"""Faults: one file per kind of thing that breaks, written once against the ports of `gameday.ports`.

The rule that surprises: a fault has no clock, no sleep and no random number. When it comes and goes belongs to the schedule; a fault
that comes and goes is two lines there. To add one, write `gameday/faults/<name>.py` with one subclass of `Fault` whose `name` is
the file's name; its fields are its parameters, and it is found by being there.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar

from pydantic import ValidationError

from gameday.errors import BadInput, Problem, nearest, shown
from gameday.scenario.base import Strict
from gameday.scenario.response import Action
from gameday.scenario.tree import Document, Entry, ListNode, MappingNode, Node, Position, ScalarNode
from gameday.selectors import Kind, Selector

PLACES: frozenset[Kind] = frozenset({"zone", "region"})
"""Kinds of selector that name a whole place; no restart of a process mends one."""


class Fault(Strict):
    """One kind of fault with its parameters, which are the fields of the subclass."""

    name: ClassVar[str]
    """Name in the schedule, and of the file."""
    targets: ClassVar[frozenset[Kind]]
    """Kinds of selector it can hit. A group is allowed when all its members are."""
    ports: ClassVar[tuple[type, ...]] = ()
    """Ports of the system it may need."""

    @abstractmethod
    def inject(self, system: object, target: Selector) -> None:
        """Put the fault in place. Raises LacksCapability, and then has changed nothing."""

    @abstractmethod
    def heal(self, system: object, target: Selector) -> None:
        """Take away what one `inject` on the same target put in place."""

    def needs(self, target: Selector) -> tuple[type, ...]:  # noqa: ARG002 - subclasses look at it
        """The ports it needs for this target."""
        return self.ports

    def mended_by(self, target: Selector) -> Action | None:  # noqa: ARG002 - subclasses look at it
        """The mitigation that removes this fault from the target; None when it only ends by itself or is worked around."""
        return None

    def parameters_in_words(self) -> dict[str, Any]:
        """Parameters as a scenario writes them, for the record: `{"latency": "200ms"}`."""
        return self.model_dump(mode="json")


@lru_cache(maxsize=1)
def faults() -> Mapping[str, type[Fault]]:
    """Every kind of fault by name, in alphabetical order: the files of this folder."""
    found: dict[str, type[Fault]] = {}
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        module = importlib.import_module(f"{__name__}.{name}")
        kinds = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Fault)]
        own = [each for each in kinds if each.__module__ == module.__name__]
        assert len(own) == 1, f"gameday/faults/{name}.py defines exactly one fault"
        assert own[0].name == name, f"the fault in gameday/faults/{name}.py is called {name}"
        found[name] = own[0]
    return found


def make(name: str, parameters: Mapping[str, Any] | None = None, position: Position | None = None) -> Fault:
    """The fault of that name with those parameters: as text, as in a scenario (`{"factor": "8"}`), or as numbers in base units.

    Raises BadInput with every problem; `position` is where the fault was written, if it was.
    """
    given = dict(parameters or {})
    where = position or Position("", None, None)
    if name not in faults():
        raise BadInput([unknown_fault(name, where, "fault")])
    try:
        return faults()[name].model_validate(given)
    except ValidationError:
        problems = problems_with(name, as_tree(given, where), "with")
    assert problems, "what the model refuses, the scenario language refuses too"
    raise BadInput(replace(each, file=each.file or None) for each in problems)


def unknown_fault(name: str, where: Position, field: str) -> Problem:
    """The problem that no fault is called that."""
    message = f"there is no such fault; faults are {', '.join(faults())}"
    return Problem(where.file or None, where.line, where.column, field, shown(name), message, nearest(name, faults()))


def problems_with(name: str, parameters: MappingNode, field: str) -> list[Problem]:
    """Everything that is wrong with the parameters of a known fault, as they were written below `field`."""
    from gameday.scenario.validation import validate

    if not faults()[name].model_fields:
        message = f"{name} has no parameters"
        keys = parameters.entries.items()
        return [Problem(*at, f"{field}.{key}", None, message) for key, at in ((key, each.key_position) for key, each in keys)]
    try:
        validate(faults()[name], Document(parameters))
    except BadInput as error:
        return [replace(each, field=f"{field}.{each.field}".rstrip(".")) for each in error.problems]
    return []


@contextmanager
def injected(fault: Fault, system: object, target: Selector) -> Iterator[None]:
    """The fault is in place inside the block, and healed when it is left, however it is left."""
    fault.inject(system, target)
    try:
        yield
    finally:
        fault.heal(system, target)


def as_tree(value: Mapping[str, Any], where: Position) -> MappingNode:
    """Plain values as a tree at one position, which is all that is known about them."""

    return MappingNode(where, {str(key): Entry(where, _node(each, where)) for key, each in value.items()})


def _node(value: Any, where: Position) -> Node:
    if isinstance(value, Mapping):
        return as_tree(value, where)
    if isinstance(value, list | tuple):
        return ListNode(where, tuple(_node(each, where) for each in value))
    return ScalarNode(where, value, shown(value))
