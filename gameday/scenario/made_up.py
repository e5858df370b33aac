"""Values that a type allows, made up: for repairing what a file has wrong (`repair`), never for a day that is played."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, get_origin

from pydantic import TypeAdapter, ValidationError

from gameday.scenario.quantities import WRITTEN_BY_HAND
from gameday.scenario.wording import Shape, allowed_values, is_container, item_shapes, shape_of_field, written_name

MOST_NAMES = 400
"""Elements that a list or mapping without a limit is filled with."""

CONTEXT = {WRITTEN_BY_HAND: True}
"""What models are told that read what is written in a file."""

_SCALARS = (1, "1s", "50%", "1/s", 1000, "1000d", "100%", "1000/s", 0, "0%", 2, "EUR", "USD", "2026-01-01T00:00:00+00:00")
_TEXTS = ("made-up", "made-up-2")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_TARGET = re.compile(
    r"(?<![a-z])[a-z]+/[A-Za-z0-9][\w.-]*"
)  # begins where letters begin, or a long word takes its length squared


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


def fits(shape: Shape, value: Any) -> bool:
    """Whether the shape allows the value, as it is written in a file."""
    try:
        _adapter(shape).validate_python(value, context=CONTEXT)
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=1000)
def _adapter(shape: Shape) -> TypeAdapter[Any]:
    return TypeAdapter(shape.annotation)


def names_for(table: Shape, names: Sequence[str]) -> list[str]:
    """The names that a list or mapping can be filled with: its keys, its elements, or names in its elements."""
    keys, element = item_shapes(table)
    named = keys if _is_mapping(table) else element
    return [name for name in names if is_container(named) or fits(named, name)]


def examples_in(shape: Shape, value: Any) -> Iterator[str]:
    """The first name in every list and mapping of names, first elements only."""
    if shape.model is not None and isinstance(value, dict):
        for name, field in shape.model.model_fields.items():
            yield from examples_in(shape_of_field(field), value.get(written_name(name, field)))
    elif not shape.members and is_container(shape) and isinstance(value, dict | list) and value:
        first = next(iter(value))
        if isinstance(first, str):
            yield first
        yield from examples_in(item_shapes(shape)[1], value[first] if isinstance(value, dict) else first)


def values_of(shape: Shape) -> list[Any]:
    """Single values that the shape allows, far from each other."""
    if shape.bare is bool:
        return [True, False]
    if shape.bare is str and (texts := [text for text in _TEXTS if fits(shape, text)]):
        return texts
    return list(allowed_values(shape)) or [value for value in _SCALARS if fits(shape, value)]


def tags_of(union: Shape) -> list[dict[str, str]]:
    """The keys, with their values, that tell the kinds of a mapping apart."""
    fields = [(member.model.model_fields, union.discriminator or "") for member in union.members if member.model is not None]
    return [
        {written_name(key, each[key]): tag}
        for each, key in fields
        if key in each
        for tag in allowed_values(shape_of_field(each[key]))
    ]


def least_of(shape: Shape, name: str) -> Any:
    """The smallest value that the shape allows; where text stands, the name."""
    if shape.members:
        tag = tags_of(shape)[0] if shape.discriminator else {}
        return {**tag, **least_of(shape.members[0], name)} if tag else least_of(shape.members[0], name)
    if shape.model is not None:
        fields = [(written_name(key, field), field) for key, field in shape.model.model_fields.items() if field.is_required()]
        return {key: least_of(shape_of_field(field), name) for key, field in fields}
    if is_container(shape):
        return grown(shape, None, names_for(shape, [name, *_TEXTS])[: _size(shape, "min_length", 0)])
    return name if shape.bare is str and fits(shape, name) else next(iter(values_of(shape)), name)


def grown(shape: Shape, known: Any, names: Sequence[str]) -> Any:
    """A list or mapping with an element for each name, as far as there is room."""
    element = item_shapes(shape)[1]
    fresh = [name for name in names_for(shape, list(dict.fromkeys(names))) if name not in (known or ())][: room_in(shape, known)]
    if _is_mapping(shape):
        return {**(known or {}), **{name: least_of(element, name) for name in fresh}}
    return [*(known or []), *(least_of(element, name) for name in fresh)]


def room_in(shape: Shape, known: Any) -> int:
    """How many elements a list or mapping can take besides those that are known."""
    return max(_size(shape, "max_length", MOST_NAMES) - len(known or ()), 0)


def _size(shape: Shape, limit: str, default: int) -> int:
    found = [size for item in shape.metadata if (size := getattr(item, limit, None)) is not None]
    return found[0] if found else default


def _is_mapping(shape: Shape) -> bool:
    return issubclass(get_origin(shape.bare) or shape.bare, dict)
