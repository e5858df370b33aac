"""A copy of a scenario's data in which every value that the model refuses is replaced by one that it takes.

The rule that surprises: a copy is filled in several ways, and a problem that is not there in all of them, word for word, may come from
a made-up value. Values run through small and large, and through the words of an enumeration; names through those that are missed
elsewhere; a list or mapping of which something is not known is filled once without and then with everything that is missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_origin

from pydantic import BaseModel, BeforeValidator, TypeAdapter, ValidationError

from gameday.errors import Problem
from gameday.faults import as_tree
from gameday.scenario.quantities import WRITTEN_BY_HAND
from gameday.scenario.translation import Location, Place, placed
from gameday.scenario.tree import Document, Position, dotted
from gameday.scenario.wording import Shape, allowed_values, is_container, item_shapes, shape_of_field, written_name

MOST_ERRORS = 200
"""Errors at once; a file with more is not repaired."""
MOST_ROUNDS = 8
"""Repairs bring further errors to light (a key that was misspelt is read at last): so often it is tried."""
MOST_NAMES = 400
"""Names that a list without a limit is filled with."""

_SCALARS = (1, "1s", "50%", "1/s", 1000, "1000d", "100%", "1000/s", 0, "0%", 2, "EUR", "USD", "2026-01-01T00:00:00+00:00")
_TEXTS = ("made-up", "made-up-2")
_CONTEXT = {WRITTEN_BY_HAND: True}
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_TARGET = re.compile(r"[a-z]+/[A-Za-z0-9][\w.-]*")
_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class _Hole:
    """A single value that is made up."""

    path: Location
    values: tuple[Any, ...]
    """What may stand there; for text, which may be a name, also what `names` gives."""
    text: Shape | None = None
    """What the text must be."""
    names: tuple[str, ...] = ()
    """Names of what the hole is in."""


class Repair:
    """The copy; `data` is what the model takes after `succeeds` and after every `fill`."""

    def __init__(self, model: type[BaseModel], document: Document) -> None:
        """Repairs nothing yet."""
        self.model = model
        self.data: dict[str, Any] = deepcopy(document.data)
        self.wrong: set[str] = set()
        """Where something is made up or left out, as dotted paths."""
        self.lost: set[str] = set()
        """Names in what was left out."""
        self._holes: dict[Location, _Hole] = {}
        self._open: dict[Location, tuple[Shape, Any]] = {}
        """Lists and mappings of which something is not known, and what is known."""

    def made(self) -> Any:
        """The model as the copy is now; raises ValidationError."""
        return self.model.model_validate(self.data, context=_CONTEXT)

    def succeeds(self) -> bool:
        """Repair; whether the model takes the copy now."""
        for _ in range(MOST_ROUNDS):
            try:
                self.made()
            except ValidationError as error:
                if error.error_count() > MOST_ERRORS:
                    return False
                document = Document(as_tree(self.data, Position("", None, None)))
                found = placed(error, self.model, document, _CONTEXT)
                for place, problem in sorted(found, key=lambda each: not each[0].of_key):
                    self._mend(place, problem)
            else:
                for path, (shape, _) in self._open.items():
                    known = self._at(path)
                    self._open[path] = shape, None if known is _ABSENT else deepcopy(known)
                return True
        return False

    def ways(self, missed: Sequence[str]) -> int:
        """In how many ways the copy must be filled until everything but names was tried everywhere, `missed` in tables and lists."""
        several = [len(hole.values) for hole in self._holes.values()]
        for shape, known in self._open.values():
            room, names = _room(shape, known), _fitting(shape, missed)
            several.append(1 + 2 * -(-len(names) // room) if room else 1)
        return max(several, default=1)

    def ways_with_names(self, names: Sequence[str]) -> int:
        """The same until each of the names was tried, too, wherever a name is made up."""
        return max((len(_values_with(hole, names)) for hole in self._holes.values()), default=1)

    def fill(self, way: int, missed: Sequence[str], there: Sequence[str], names: Sequence[str]) -> None:
        """Fill the copy in another way (from 1): tables and lists with what is missed, with and without what has that name elsewhere."""
        taken = set(_elements(self.data)) if way % 2 == 0 else set()
        for path, (shape, known) in self._open.items():
            fitting = _turned(_fitting(shape, missed), (way - 1) // 2 * _room(shape, known))
            self._put(path, _grown(shape, known, [*(name for name in fitting if name not in taken), *there]))
        for number, hole in enumerate(self._holes.values()):
            values = _values_with(hole, names, number)
            self._put(hole.path, values[way % len(values)])

    @property
    def nameless(self) -> set[str]:
        """What has a made-up text somewhere in it, which may be a name."""
        return {name for hole in self._holes.values() if hole.text is not None for name in hole.names}

    # -- the copy ---------------------------------------------------------------------------------------------------------

    def _at(self, path: Location) -> Any:
        value: Any = self.data
        for part in path:
            inside = (isinstance(value, dict) and part in value) or (isinstance(value, list) and part in range(len(value)))
            if not inside:
                return _ABSENT
            value = value[part]
        return value

    def _put(self, path: Location, value: Any) -> None:
        """Put a value at the path, whose last part but one is there or may be an empty mapping."""
        parent: Any = self.data
        for part in path[:-1]:
            parent = parent.setdefault(part, {}) if isinstance(parent, dict) else parent[part]
        if value is _ABSENT:
            parent.pop(path[-1], None)
        else:
            parent[path[-1]] = deepcopy(value)

    # -- one error --------------------------------------------------------------------------------------------------------

    def _mend(self, place: Place, problem: Problem) -> None:
        if place.short is not None:
            if self._written_out(place.short):
                return
            place = place.short
        if self._at(place.path[:-1] if place.kind == "missing" else place.path) is _ABSENT:
            return
        self.wrong.add(dotted(place.path))
        if place.of_key:
            self._rename(place, problem.suggestion)
        elif place.kind == "extra_forbidden":
            self._rename_or_drop(place.path, problem.suggestion)
        elif kinds := self._kinds(place):
            self._holes[place.path] = _Hole(place.path, kinds)
            self._put(place.path, kinds[0])
        else:
            self._lose(place.path, place.shape, place.names, optional=False)
            if place.table is not None and get_origin(place.table.bare) is list:
                self._open[place.path[:-1]] = place.table, None

    def _written_out(self, short: Place) -> bool:
        """Replace a short form by the long one; whether it could be read."""
        for item in short.shape.metadata:
            if isinstance(item, BeforeValidator):
                try:
                    long = item.func(self._at(short.path))  # type: ignore[call-arg]
                except ValueError:
                    return False
                self._put(short.path, long)
                return isinstance(long, dict)
        return False

    def _rename(self, place: Place, name: str | None) -> None:
        """Give what stands under a key that is no name another key; which name was meant is not known."""
        table = self._at(place.path[:-1])
        name = name or f"renamed-{len(self.wrong)}"
        content = table.pop(place.path[-1])
        table.setdefault(name, content)
        self.wrong.add(dotted((*place.path[:-1], name)))
        self.lost.add(str(place.path[-1]))
        if place.table is not None:
            self._open[place.path[:-1]] = place.table, None

    def _rename_or_drop(self, path: Location, meant: str | None) -> None:
        """A key that is not known is taken for the one that was meant, when that is not there yet."""
        parent = self._at(path[:-1])
        content = parent.pop(path[-1])
        if meant is not None and meant not in parent:
            parent[meant] = content
            self.wrong.add(dotted((*path[:-1], meant)))
        else:
            self.lost |= {str(path[-1]), *names_in(content)}

    def _kinds(self, place: Place) -> tuple[Any, ...]:
        """A mapping of an unknown kind as each kind that it could be."""
        mapping, union = self._at(place.path), place.shape
        if not isinstance(mapping, dict) or union.discriminator is None:
            return ()
        return tuple(each for each in ({**mapping, **tag} for tag in _kinds(union)) if _fits(union, each))

    def _lose(self, path: Location, shape: Shape, names: tuple[str, ...], *, optional: bool) -> None:
        """Nothing is known of what is at the path: make up what the model needs, and note what may be there besides."""
        model = shape.model
        if shape.members:
            self._lose(path, shape.members[0], names, optional=optional)
        elif model is not None:
            required = [field for field in model.model_fields.values() if field.is_required()]
            if optional and required:
                return
            if not optional:
                self._put(path, {})
            for name, field in model.model_fields.items():
                place = (*path, written_name(name, field))
                self._lose(place, shape_of_field(field), names, optional=optional or not field.is_required())
        elif is_container(shape):
            if not optional:
                self._put(path, _least(shape, "made-up"))
            self._open[path] = shape, None
        else:
            values = (_ABSENT,) * optional + tuple(_values(shape))
            self._holes[path] = _Hole(path, values, shape if shape.bare is str else None, names)
            self._put(path, values[0]) if not optional else None


def names_in(value: Any) -> Iterator[str]:
    """Words in keys and texts, however deep, that may be names (`orders`) or name what is called (`database/orders`)."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from names_in(key)
            yield from names_in(below)
    elif isinstance(value, list):
        for below in value:
            yield from names_in(below)
    elif isinstance(value, str):
        yield from _NAME.findall(value)
        yield from _TARGET.findall(value)


def _elements(value: Any) -> Iterator[str]:
    """Keys of mappings in mappings, however deep."""
    for key, below in value.items() if isinstance(value, dict) else ():
        if isinstance(below, dict):
            yield key
            yield from _elements(below)


def _values_with(hole: _Hole, names: Sequence[str], start: int = 0) -> list[Any]:
    """What may stand in a hole, the names from the start on."""
    return [*hole.values, *_turned([name for name in names if hole.text is not None and _fits(hole.text, name)], start)]


def _turned(names: Sequence[str], start: int) -> list[str]:
    start %= max(len(names), 1)
    return [*names[start:], *names[:start]]


def _fits(shape: Shape, value: Any) -> bool:
    try:
        _adapter(shape).validate_python(value, context=_CONTEXT)
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=1000)
def _adapter(shape: Shape) -> TypeAdapter[Any]:
    return TypeAdapter(shape.annotation)


def _fitting(table: Shape, names: Sequence[str]) -> list[str]:
    """The names that can be keys of a mapping, or elements of a list, or in them."""
    keys, element = item_shapes(table)
    named = keys if issubclass(get_origin(table.bare) or table.bare, dict) else element
    return [name for name in names if named.bare is not str or _fits(named, name)]


def _values(shape: Shape) -> list[Any]:
    """Single values that the shape allows, far from each other."""
    if shape.bare is bool:
        return [True, False]
    if shape.bare is str and (texts := [text for text in _TEXTS if _fits(shape, text)]):
        return texts
    return list(allowed_values(shape)) or [value for value in _SCALARS if _fits(shape, value)]


def _kinds(union: Shape) -> list[dict[str, str]]:
    """The keys, with their values, that tell the kinds of a mapping apart."""
    fields = [(member.model.model_fields, union.discriminator or "") for member in union.members if member.model is not None]
    return [
        {written_name(key, each[key]): tag}
        for each, key in fields
        if key in each
        for tag in allowed_values(shape_of_field(each[key]))
    ]


def _least(shape: Shape, name: str) -> Any:
    """The smallest value that the shape allows; where text stands, the name."""
    if shape.members:
        tag = _kinds(shape)[0] if shape.discriminator else {}
        return {**tag, **_least(shape.members[0], name)} if tag else _least(shape.members[0], name)
    if shape.model is not None:
        fields = [(written_name(key, field), field) for key, field in shape.model.model_fields.items() if field.is_required()]
        return {key: _least(shape_of_field(field), name) for key, field in fields}
    if is_container(shape):
        return _grown(shape, None, _fitting(shape, [name, *_TEXTS])[: _size(shape, "min_length", 0)])
    values = [name] if shape.bare is str and _fits(shape, name) else _values(shape)
    return values[0] if values else name


def _grown(shape: Shape, known: Any, names: Sequence[str]) -> Any:
    """A list or mapping with an element for each name, as far as there is room."""
    element, room = item_shapes(shape)[1], _room(shape, known)
    fresh = [name for name in _fitting(shape, list(dict.fromkeys(names))) if name not in (known or ())][:room]
    if issubclass(get_origin(shape.bare) or shape.bare, dict):
        return {**(known or {}), **{name: _least(element, name) for name in fresh}}
    return [*(known or []), *(_least(element, name) for name in fresh)]


def _room(shape: Shape, known: Any) -> int:
    return max(_size(shape, "max_length", MOST_NAMES) - len(known or ()), 0)


def _size(shape: Shape, limit: str, default: int) -> int:
    found = [size for item in shape.metadata if (size := getattr(item, limit, None)) is not None]
    return found[0] if found else default
