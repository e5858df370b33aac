"""Turns pydantic's errors into problems: finds the place in the document, and says what is allowed there.

pydantic reports a path through the *types*: it holds tags and labels of union branches that are no keys of the document. The walk
here follows the model's types and the path together, and stops at a plain union; the alternatives of that union are then tried one
by one, and the one the user most likely meant is reported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from gameday.errors import Problem, nearest, shown
from gameday.scenario.reading import shown_value
from gameday.scenario.tree import Document, ListNode, MappingNode, ScalarNode, dotted, plain
from gameday.scenario.wording import (
    Shape,
    allowed_values,
    is_container,
    item_shapes,
    keys_of,
    length_in_words,
    limits_of,
    shape_of,
    shape_of_field,
    words_for,
    written_name,
)

_PYDANTIC_TYPES = frozenset(get_args(ErrorType))
_BOUNDS = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal"})
_LENGTHS = frozenset({"string_too_short", "string_too_long"})
_OWN_WORDS = frozenset({"value_error", "assertion_error"})
_WRONG_KIND = frozenset(
    {"model_type", "model_attributes_type", "dict_type", "mapping_type", "list_type", "tuple_type", "set_type", "not_a_number"}
    | {"int_type", "int_parsing", "int_from_float", "float_type", "float_parsing", "string_type", "bool_type", "bool_parsing"}
)
_MEANS_TRUE = frozenset({"yes", "on", "y", "true", "1"})
_MEANS_FALSE = frozenset({"no", "off", "n", "false", "0"})

Location = tuple[str | int, ...]


def translated(error: ValidationError, model: type[BaseModel], document: Document, context: Mapping[str, Any]) -> list[Problem]:
    """The problems in a document that failed to become a `model`."""
    return [problem for _, problem in placed(error, model, document, context)]


def placed(
    error: ValidationError, model: type[BaseModel], document: Document, context: Mapping[str, Any]
) -> list[tuple[Place, Problem]]:
    """The same problems, each with its place in the types of the `model`."""
    return _Translation(document, context).all(error, Place((), Shape(model)))


@dataclass(frozen=True, slots=True)
class Place:
    """Where an error is: the way to it in the document, and what is allowed there."""

    path: Location
    shape: Shape
    owner: type[BaseModel] | None = None
    """The model whose key the path ends in."""
    union: bool = False
    """Whether the walk stopped at a plain union, whose branches the rest of the error's location is about."""
    of_key: bool = False
    """Whether the key of a mapping is wrong, not its value."""
    short: Place | None = None
    """The short form (`kill region/eu-1 at 10m`) that the place is inside of."""
    table: Shape | None = None
    """The list or mapping that the place is an element of."""
    names: tuple[str, ...] = ()
    """The keys on the way that are names, not fields: `checkout` in `system.services.checkout.slots`."""
    kind: str = ""
    """pydantic's name of the error; empty where a union has none."""


class _Translation:
    def __init__(self, document: Document, context: Mapping[str, Any]) -> None:
        self.document = document
        self.context = context

    def all(self, error: ValidationError, start: Place) -> list[tuple[Place, Problem]]:
        """All problems of an error about the part of the document at the start; one for each place."""
        problems: dict[tuple[Location, bool], list[tuple[Place, Problem]]] = {}
        for details in error.errors(include_url=False):
            place = self._walk(start, details["loc"])
            at = (place.path, place.of_key)
            if at in problems:
                continue
            known = replace(place, kind=details["type"])
            problems[at] = self._union(known) if place.union else [(known, self._problem(place, details))]
        return [problem for several in problems.values() for problem in several]

    def _walk(self, start: Place, location: Location) -> Place:
        place, short = start, start.short
        for index, part in enumerate(location):
            shape = place.shape
            if short is None and isinstance(self.document.node(place.path), ScalarNode):
                short = place
            if shape.members and shape.discriminator:
                place = replace(place, shape=_member_with_tag(shape, part))
            elif shape.members:
                return replace(place, union=True)
            elif shape.model is not None:
                place = Place(
                    (*place.path, part), _field_shape(shape.model, part), owner=shape.model, short=short, names=place.names
                )
            elif part == "[key]" and index == len(location) - 1:
                return replace(place, of_key=True)
            else:
                keys, values = item_shapes(shape)
                is_key = location[index + 1 :] == ("[key]",)
                names = (*place.names, part) if isinstance(part, str) else place.names
                place = Place((*place.path, part), keys if is_key else values, short=short, table=shape, names=names)
        return replace(place, union=bool(place.shape.members) and not place.shape.discriminator)

    def _union(self, place: Place) -> list[tuple[Place, Problem]]:
        """Try the alternatives one by one; report the one that was meant, or what all of them are."""
        node = self.document.node(place.path)
        if node is None:
            return [(place, self._at(place, f"must be {words_for(place.shape)}"))]
        meant: list[tuple[int, list[tuple[Place, Problem]]]] = []
        suggestions: list[str] = []
        for member in place.shape.members:
            error = self._error_of(member, plain(node))
            if error is None:
                continue
            errors = error.errors(include_url=False)
            wrong_kind = any(not details["loc"] and details["type"] in _WRONG_KIND for details in errors)
            problems = self.all(error, replace(place, shape=member, union=False, kind=""))
            suggestions += [problem.suggestion for _, problem in problems if problem.suggestion is not None]
            if not wrong_kind and (is_container(member) or isinstance(node, ScalarNode)):
                meant.append((len(errors), problems))
        if meant and not isinstance(node, ScalarNode):
            return min(meant, key=lambda branch: branch[0])[1]
        if len(meant) == 1:
            return meant[0][1]
        value = node.text if isinstance(node, ScalarNode) else None
        suggestion = nearest(value, allowed_values(place.shape)) if value else None
        suggestion = suggestion or next(iter(suggestions), None)
        return [(place, self._at(place, f"must be {words_for(place.shape)}", suggestion, value_of_containers=True))]

    def _error_of(self, member: Shape, value: Any) -> ValidationError | None:
        try:
            TypeAdapter(member.annotation).validate_python(value, context=dict(self.context))
        except ValidationError as error:
            return error
        return None

    def _problem(self, place: Place, details: ErrorDetails) -> Problem:
        kind = details["type"]
        if kind == "missing":
            return self._missing(place)
        if kind == "extra_forbidden":
            return self._unknown_key(place)
        if kind in {"union_tag_not_found", "union_tag_invalid"}:
            return self._tag(place, missing=kind == "union_tag_not_found")
        read = details["input"]
        if kind in _OWN_WORDS or kind not in _PYDANTIC_TYPES:
            return self._own_words(place, details)
        if kind in _BOUNDS and limits_of(place.shape):
            plain_number = place.shape.bare in (int, float) and not _has_own_words(place.shape)
            allowed = words_for(place.shape) if plain_number else limits_of(place.shape)
            return self._at(place, f"must be {allowed}", read=read)
        if kind in _LENGTHS and length_in_words(place.shape):
            return self._at(place, f"must be text of {length_in_words(place.shape)}", read=read)
        if kind == "string_type" and isinstance(read, bool | int | float):
            return self._at(place, f"must be {words_for(place.shape)}: put it in quotes", read=read)
        message = f"must be {words_for(place.shape)}"
        return self._at(place, message, _suggestion(place.shape, read), read=read, value_of_containers=True)

    def _own_words(self, place: Place, details: ErrorDetails) -> Problem:
        """What a validator of ours says."""
        cause = details.get("ctx", {}).get("error")
        if details["type"] == "not_a_number":
            return self._at(place, f"must be {words_for(place.shape)}", read=details["input"])
        message = str(cause) if isinstance(cause, Exception) else details["msg"]
        suggestion = getattr(cause, "suggestion", None)
        return self._at(place, message or f"must be {words_for(place.shape)}", suggestion, read=details["input"])

    def _missing(self, place: Place) -> Problem:
        parent = self.document.existing(place.path)
        position = self.document.position(place.path[:parent], of_key=True)
        return Problem(*position, dotted(place.path), None, "is required")

    def _unknown_key(self, place: Place) -> Problem:
        assert place.owner is not None, "only models have unknown keys"
        key = str(place.path[-1])
        parent = self.document.node(place.path[:-1])
        present = parent.entries if isinstance(parent, MappingNode) else {}
        allowed = keys_of(place.owner)
        suggestion = nearest(key, [word for word in allowed if word not in present])
        message = "unknown key" if suggestion else f"unknown key; allowed here: {', '.join(allowed)}"
        return Problem(*self.document.position(place.path, of_key=True), dotted(place.path), None, message, suggestion)

    def _tag(self, place: Place, *, missing: bool) -> Problem:
        """The key that says which kind of mapping this is, e.g. `kind`, is missing or names no kind."""
        key, tags = _tags(place.shape)
        path = (*place.path, key)
        if missing:
            position = self.document.position(place.path, of_key=True)
            return Problem(*position, dotted(path), None, f"is required: one of {', '.join(tags)}")
        node = self.document.node(path)
        value = shown_value(node) if node is not None else None
        message = f"must be one of {', '.join(tags)}"
        return Problem(*self.document.position(path), dotted(path), value, message, nearest(value or "", tags))

    def _at(
        self,
        place: Place,
        message: str,
        suggestion: str | None = None,
        *,
        read: Any = None,
        value_of_containers: bool = False,
    ) -> Problem:
        """A problem at a place. A place inside a short form (`service_time: lognormal x`) is put at the short form."""
        known = self.document.existing(place.path)
        path, inside = place.path[:known], place.path[known:]
        node = self.document.node(path)
        of_key = place.of_key or isinstance(node, MappingNode | ListNode)
        if inside and isinstance(node, ScalarNode) and str(read) != node.text:
            message = f"{dotted(inside)} {message}"
        value = shown_value(node) if node is not None and (isinstance(node, ScalarNode) or value_of_containers) else None
        if place.of_key:
            value = shown(place.path[-1])
        return Problem(*self.document.position(path, of_key=of_key), dotted(path), value, message, suggestion)


def _field_shape(model: type[BaseModel], key: str | int) -> Shape:
    for name, field in model.model_fields.items():
        if key in {name, written_name(name, field)}:
            return shape_of_field(field)
    return Shape(Any)


def _member_with_tag(union: Shape, tag: str | int) -> Shape:
    for member in union.members:
        if str(tag) in _tags_of_member(union, member):
            return member
    return Shape(Any)


def _tags(union: Shape) -> tuple[str, list[str]]:
    """The key in the file that holds the tag, and the tags."""
    key = union.discriminator or ""
    tags = [tag for member in union.members for tag in _tags_of_member(union, member)]
    for member in union.members:
        if member.model is not None and key in member.model.model_fields:
            return written_name(key, member.model.model_fields[key]), tags
    return key, tags


def _tags_of_member(union: Shape, member: Shape) -> Sequence[str]:
    if member.model is None or union.discriminator not in member.model.model_fields:
        return [tag for inner in member.members for tag in _tags_of_member(union, inner)]
    return allowed_values(shape_of(member.model.model_fields[union.discriminator].annotation))


def _has_own_words(shape: Shape) -> bool:
    return words_for(Shape(shape.bare)) not in words_for(shape)


def _suggestion(shape: Shape, read: Any) -> str | None:
    """What was probably meant, if that can be told from what was read."""
    text = shown(read)
    if shape.bare is bool:
        return "true" if text.lower() in _MEANS_TRUE else "false" if text.lower() in _MEANS_FALSE else None
    values = allowed_values(shape)
    if values:
        return nearest(text, values)
    pattern = next((found for item in shape.metadata if (found := getattr(item, "pattern", None))), None)
    if isinstance(read, str) and isinstance(pattern, str):
        meant = re.sub(r"\s+", "-", read.strip().lower())[:200]
        return meant if meant != read and re.search(pattern, meant) else None
    return None
