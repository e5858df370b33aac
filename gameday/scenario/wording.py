"""What a field allows, in plain words: "a whole number from 1 to 100", "one of page, ticket", "a duration such as '90s'".

It reads the annotations of the models, so the words cannot drift from what is checked.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import AwareDatetime, BaseModel, Discriminator, NaiveDatetime, PlainSerializer
from pydantic.fields import FieldInfo

from gameday.scenario.base import InWords

_EXACT_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    type(None): "null",
    AwareDatetime: "a date and time with its offset, such as '2025-03-14T09:00:00+01:00'",
    NaiveDatetime: "a date and time without offset, such as '2025-03-14T09:00:00'",
    datetime: "a date and time, such as '2025-03-14T09:00:00+01:00'",
    date: "a date, such as '2025-03-14'",
    time: "a time of day, such as '09:30'",
    Any: "any value",
}


@dataclass(frozen=True)
class Shape:
    """A type without its wrapping: what is left of it, and what the wrapping said."""

    bare: Any
    metadata: tuple[Any, ...] = ()
    discriminator: str | None = None

    @property
    def members(self) -> tuple[Shape, ...]:
        """The alternatives of a union, without null; empty for anything else."""
        if get_origin(self.bare) not in (Union, types.UnionType):
            return ()
        return tuple(shape_of(member) for member in get_args(self.bare) if member is not type(None))

    @property
    def model(self) -> type[BaseModel] | None:
        """The model, if it is one."""
        return self.bare if isinstance(self.bare, type) and issubclass(self.bare, BaseModel) else None

    @property
    def annotation(self) -> Any:
        """The type with its wrapping again, as pydantic takes it."""
        annotation = self.bare
        for item in (*self.metadata, *([Discriminator(self.discriminator)] if self.discriminator else [])):
            annotation = Annotated[annotation, item]
        return annotation


def shape_of(annotation: Any, metadata: Iterable[Any] = ()) -> Shape:
    """Take Annotated, Optional, type aliases and field declarations off a type."""
    collected = list(metadata)
    discriminator: str | None = None
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            collected = [*more, *collected]
        elif hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif get_origin(annotation) in (Union, types.UnionType):
            members = [member for member in get_args(annotation) if member is not type(None)]
            if len(members) != 1:
                break
            annotation = members[0]
        else:
            break
    flat: list[Any] = []
    for item in collected:
        if isinstance(item, FieldInfo):
            flat += item.metadata
            discriminator = item.discriminator if isinstance(item.discriminator, str) else discriminator
        elif isinstance(item, Discriminator):
            discriminator = item.discriminator if isinstance(item.discriminator, str) else discriminator
        else:
            flat.append(item)
    return Shape(annotation, tuple(flat), discriminator)


def shape_of_field(field: FieldInfo) -> Shape:
    """The shape of a model's field."""
    shape = shape_of(field.annotation, field.metadata)
    discriminator = field.discriminator if isinstance(field.discriminator, str) else shape.discriminator
    return Shape(shape.bare, shape.metadata, discriminator)


def written_name(name: str, field: FieldInfo) -> str:
    """The key a field has in a file."""
    return field.alias or name


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys a model allows, as they are written in a file, in the model's order."""
    return [written_name(name, field) for name, field in model.model_fields.items()]


def words_for(shape: Shape) -> str:
    """What is allowed, to stand after "must be"."""
    if shape.members:
        return listed(dict.fromkeys(words_for(member) for member in shape.members), "or")
    limits = limits_of(shape)
    own = next((item.text for item in reversed(shape.metadata) if isinstance(item, InWords)), None)
    if own is not None:
        return f"{own}, {limits}" if limits else own
    if shape.model is not None:
        return "a mapping"
    values = allowed_values(shape)
    if values:
        return f"one of {', '.join(values)}" if len(values) > 1 else f"'{values[0]}'"
    return _words_for_plain(shape, limits)


def allowed_values(shape: Shape) -> list[str]:
    """The words an enumeration allows; for a union, those of all its members; empty when anything of a kind is allowed."""
    if shape.members:
        return [value for member in shape.members for value in allowed_values(member)]
    if get_origin(shape.bare) is Literal:
        return [str(value.value if isinstance(value, enum.Enum) else value) for value in get_args(shape.bare)]
    if isinstance(shape.bare, type) and issubclass(shape.bare, enum.Enum):
        return [str(member.value) for member in shape.bare]
    return []


def limits_of(shape: Shape) -> str:
    """The bounds of a number or quantity: "from 1 to 100", "greater than 0s and at most 1h"; empty without bounds."""
    format_limit = next((item.func for item in shape.metadata if isinstance(item, PlainSerializer)), str)
    bounds: dict[str, str] = {}
    for item in _flattened(shape.metadata):
        for name in ("gt", "ge", "lt", "le"):
            limit = getattr(item, name, None)
            if limit is not None:
                bounds[name] = format_limit(limit)  # type: ignore[call-arg]
    if {"ge", "le"} <= bounds.keys():
        return f"from {bounds['ge']} to {bounds['le']}" if bounds["ge"] != bounds["le"] else f"exactly {bounds['ge']}"
    phrases = {"gt": "greater than", "ge": "at least", "lt": "less than", "le": "at most"}
    return " and ".join(f"{phrases[name]} {limit}" for name, limit in bounds.items())


def length_in_words(shape: Shape) -> str:
    """How long a text may be: "at most 60 characters"; empty without bounds."""
    return _size_in_words(shape, "characters", "character")


def listed(words: Iterable[str], conjunction: str) -> str:
    """`a, b or c`."""
    several = list(words)
    return f" {conjunction} ".join([part for part in (", ".join(several[:-1]), several[-1]) if part]) if several else ""


def is_container(shape: Shape) -> bool:
    """Whether what is written for it is a list or a mapping; for a union, whether it may be."""
    if shape.members:
        return any(is_container(member) for member in shape.members)
    origin = get_origin(shape.bare) or shape.bare
    return shape.model is not None or (
        isinstance(origin, type) and issubclass(origin, Mapping | Sequence | set | frozenset) and not issubclass(origin, str)
    )


def item_shapes(shape: Shape) -> tuple[Shape, Shape]:
    """Shapes of the keys and the values of a mapping, or of the indices and the elements of a list."""
    arguments = [argument for argument in get_args(shape.bare) if argument is not Ellipsis]
    if shape.members or not is_container(shape) or not arguments:
        return Shape(Any), Shape(Any)
    return shape_of(arguments[0]), shape_of(arguments[-1])


def _words_for_plain(shape: Shape, limits: str) -> str:
    origin = get_origin(shape.bare) or shape.bare
    if is_container(shape):
        mapping = issubclass(origin, Mapping)
        size = _size_in_words(shape, "entries" if mapping else "elements", "entry" if mapping else "element")
        return ("a mapping" if mapping else "a list") + (f" of {size}" if size else "")
    words = _EXACT_WORDS.get(origin, "a valid value")
    if origin is str:
        pattern = next((found for item in _flattened(shape.metadata) if (found := getattr(item, "pattern", None))), None)
        size = length_in_words(shape)
        words += f" of {size}" if size else ""
        words += f" that matches the pattern {getattr(pattern, 'pattern', pattern)}" if pattern else ""
    if limits.startswith("at "):
        return f"{words} of {limits}"
    return f"{words}, {limits}" if limits.startswith("exactly") else f"{words} {limits}".rstrip()


def _size_in_words(shape: Shape, several: str, one: str) -> str:
    least, most = 0, None
    for item in _flattened(shape.metadata):
        least = max(least, getattr(item, "min_length", None) or 0)
        most = getattr(item, "max_length", most) or most
    if most is None:
        return f"at least {least} {one if least == 1 else several}" if least else ""
    if least == most:
        return f"exactly {most} {one if most == 1 else several}"
    return f"{least} to {most} {several}" if least else f"at most {most} {one if most == 1 else several}"


def _flattened(metadata: Iterable[Any]) -> list[Any]:
    """Constraints one by one; annotated_types groups some of them (`Interval`, `Len`)."""
    flat: list[Any] = []
    for item in metadata:
        flat += list(item) if isinstance(item, annotated_types.GroupedMetadata) else [item]
    return flat
