"""How a kind of event is described: its keys, their types, and the short written form of the tables.

The rule that surprises: in the written form a question mark after a key (`"value?"`) says that it may be left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

ValueType = Literal["text", "number", "text or number", "flag", "list", "map", "list or map"]

_ACCEPTED: Final[Mapping[ValueType, tuple[type, ...]]] = {
    "text": (str,),
    "number": (int, float),
    "text or number": (str, int, float),
    "flag": (bool,),
    "list": (list, tuple),
    "map": (Mapping,),
    "list or map": (list, tuple, Mapping),
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an event's data: its type, its meaning, and its allowed values where there are only a few."""

    type: ValueType
    description: str
    optional: bool = False
    choices: tuple[str, ...] = ()

    def problem(self, value: object) -> str | None:
        """What is wrong with `value`, in words, or None."""
        if value is None and self.optional:
            return None
        flag_for_number = isinstance(value, bool) and self.type != "flag"
        if flag_for_number or not isinstance(value, _ACCEPTED[self.type]):
            return f"is {value!r} and must be a {self.type}"
        if self.choices and value not in self.choices:
            return f"is {value!r} and must be one of {', '.join(self.choices)}"
        return None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event: what it says happened, to what, and with which data."""

    description: str
    subject: str
    keys: Mapping[str, Key]

    @property
    def required(self) -> tuple[str, ...]:
        """The keys that every event of the kind has."""
        return tuple(name for name, key in self.keys.items() if not key.optional)


def text_key(description: str, *choices: str) -> Key:
    """A key that holds text, one of the choices if there are any."""
    return Key("text", description, choices=choices)


def number_key(description: str) -> Key:
    """A key that holds a number."""
    return Key("number", description)


def flag_key(description: str) -> Key:
    """A key that holds true or false."""
    return Key("flag", description)


def list_key(description: str) -> Key:
    """A key that holds a list."""
    return Key("list", description)


def map_key(description: str) -> Key:
    """A key that holds names and their values."""
    return Key("map", description)


def kind(description: str, subject: str, keys: Mapping[str, Key] | None = None) -> Kind:
    """A kind from its written form, in which a question mark after a key says that it may be left out."""
    named: dict[str, Key] = {}
    for written, key in (keys or {}).items():
        name = written.removesuffix("?")
        named[name] = Key(key.type, key.description, written.endswith("?"), key.choices)
    return Kind(description, subject, named)


def states(family: str, subject: str, keys: Mapping[str, Key], descriptions: Mapping[str, str]) -> dict[str, Kind]:
    """Kinds of one family that carry the same data and differ in what happened."""
    return {f"{family}.{state}": kind(description, subject, keys) for state, description in descriptions.items()}
