"""A copy of a scenario's data in which every value that the model refuses is replaced by one that it takes.

The rule that surprises: a copy is filled in several ways, and a problem that is not there in all of them, word for word, may come from
a made-up value. Values run through small and large, and through the words of an enumeration; names through those that are missed
elsewhere; a list or mapping of which something is not known is filled once without and then with everything that is missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, get_origin

from pydantic import BaseModel, BeforeValidator, ValidationError

from gameday.errors import Problem
from gameday.faults import as_tree
from gameday.scenario.made_up import CONTEXT, fits, grown, least_of, names_for, names_in, room_in, tags_of, values_of
from gameday.scenario.translation import Location, Place, placed
from gameday.scenario.tree import Document, Position, dotted
from gameday.scenario.wording import Shape, is_container, item_shapes, shape_of_field, written_name

MOST_ERRORS = 200
"""Errors at once; a file with more is not repaired."""
MOST_ROUNDS = 8
"""Repairs bring further errors to light (a key that was misspelt is read at last): so often it is tried."""
_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class _Hole:
    """A single value that is made up."""

    path: Location
    values: tuple[Any, ...]
    """What may stand there; where text stands, some name may stand as well."""
    text: Shape | None = None
    """What the text must be."""
    names: tuple[str, ...] = ()
    """Names of what the hole is in."""


class Repair:
    """The copy; the model takes it after `succeeds`, and after each `fill`."""

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
        return self.model.model_validate(self.data, context=CONTEXT)

    def succeeds(self) -> bool:
        """Repair; whether the model takes the copy now."""
        for _ in range(MOST_ROUNDS):
            try:
                self.made()
            except ValidationError as error:
                if error.error_count() > MOST_ERRORS:
                    return False
                document = Document(as_tree(self.data, Position("", None, None)))
                found = placed(error, self.model, document, CONTEXT)
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
            room, names = room_in(shape, known), names_for(shape, missed)
            several.append(1 + 2 * -(-len(names) // room) if room else 1)
        return max(several, default=1)

    def ways_with_names(self, names: Sequence[str]) -> int:
        """The same until each of the names was tried, too, wherever a name is made up."""
        return max((len(_values(hole, names)) for hole in self._holes.values()), default=1)

    def fill(self, way: int, missed: Sequence[str], there: Sequence[str], names: Sequence[str]) -> None:
        """Fill the copy in another way (from 1): tables and lists with what is missed, with and without what has that name elsewhere."""
        taken = set(_elements(self.data)) if way % 2 == 0 else set()
        for path, (shape, known) in self._open.items():
            names_there = there if item_shapes(shape)[1].bare is str else ()
            turned = _turned(names_for(shape, missed), (way - 1) // 2 * room_in(shape, known))
            self._put(path, grown(shape, known, [*(name for name in turned if name not in taken), *names_there]))
        for number, hole in enumerate(self._holes.values()):
            values = _values(hole, names, number)
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
        if kinds := self._kinds(place):
            self.wrong.add(problem.field if place.kind == "union_tag_invalid" else dotted(place.path))
            self._holes[place.path] = _Hole(place.path, kinds)
            self._put(place.path, kinds[0])
            return
        self.wrong.add(dotted(place.path))
        if place.of_key:
            self._rename(place, problem.suggestion)
        elif place.kind == "extra_forbidden":
            self._rename_or_drop(place, problem.suggestion)
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

    def _rename_or_drop(self, place: Place, meant: str | None) -> None:
        """A key that is not known is taken for the one that was meant; when nobody knows which, it may be any that is not there."""
        parent, above = self._at(place.path[:-1]), place.path[:-1]
        content = parent.pop(place.path[-1])
        if meant is not None and meant not in parent:
            parent[meant] = content
            self.wrong.add(dotted((*above, meant)))
            return
        self.lost |= {str(place.path[-1]), *names_in(content)}
        for name, field in place.owner.model_fields.items() if place.owner is not None else ():
            if written_name(name, field) not in parent and not field.is_required():
                self._lose((*above, written_name(name, field)), shape_of_field(field), place.names, optional=True)

    def _kinds(self, place: Place) -> tuple[Any, ...]:
        """A mapping of an unknown kind as each kind that it could be."""
        mapping, union = self._at(place.path), place.shape
        if not isinstance(mapping, dict) or union.discriminator is None:
            return ()
        return tuple(each for each in ({**mapping, **tag} for tag in tags_of(union)) if fits(union, each))

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
                self._put(path, least_of(shape, "made-up"))
            self._open[path] = shape, None
        else:
            values = [*([_ABSENT] if optional else []), *values_of(shape)]
            if values:
                self._holes[path] = _Hole(path, tuple(values), shape if shape.bare is str else None, names)
                self._put(path, values[0])


def _elements(value: Any) -> Iterator[str]:
    """Keys of mappings in mappings, however deep."""
    for key, below in value.items() if isinstance(value, dict) else ():
        if isinstance(below, dict):
            yield key
            yield from _elements(below)


def _values(hole: _Hole, names: Sequence[str], start: int = 0) -> list[Any]:
    """What may stand in a hole, the names from the start on."""
    return [*hole.values, *_turned([name for name in names if hole.text is not None and fits(hole.text, name)], start)]


def _turned(names: Sequence[str], start: int) -> list[str]:
    start %= max(len(names), 1)
    return [*names[start:], *names[:start]]
