"""Copies of everything an engine keeps in Python: records that refer to each other in circles, with their random generators.

The rule that surprises: unlike `copy.deepcopy` this does not recurse along references between records, so a queue of a hundred thousand
attempts is no deeper than one; and what it does not know it refuses, so no new kind of state can slip through half copied.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from types import BuiltinMethodType, FunctionType, MethodType, NoneType
from typing import Any, TypeVar

import numpy as np

from sim.streams import Streams

_Value = TypeVar("_Value")

_UNCHANGING = (int, float, str, bytes, bool, NoneType, range, frozenset, FunctionType, type, Enum, Streams)
_CONTAINERS = (list, dict, set, deque)


def copied(value: _Value) -> _Value:
    """A copy that shares only what never changes with its original: numbers, frozen dataclasses, functions, the seeds of streams.

    What refers to the same record before refers to the same record afterwards. Random generators continue at the same number.
    Raises TypeError for a kind of value that cannot be copied like this.
    """
    copier = _Copier()
    copy: _Value = copier.of(value)
    copier.fill()
    return copy


class _Copier:
    def __init__(self) -> None:
        self._copies: dict[int, Any] = {}
        self._unfilled: list[tuple[Any, Any]] = []

    def of(self, value: Any) -> Any:
        """The copy that stands for a value; a record or container is filled later."""
        kind = type(value)
        if isinstance(value, _UNCHANGING) or (hasattr(kind, "__dataclass_params__") and kind.__dataclass_params__.frozen):
            return value
        copy = self._copies.get(id(value))
        if copy is not None:
            return copy
        if kind is tuple:
            return tuple(map(self.of, value))
        if kind is MethodType:
            return MethodType(value.__func__, self.of(value.__self__))
        if kind is BuiltinMethodType:
            return getattr(self.of(value.__self__), value.__name__)
        if kind is np.random.Generator:
            copy = np.random.Generator(type(value.bit_generator)(0))
            copy.bit_generator.state = value.bit_generator.state
        elif kind is np.ndarray:
            copy = value.copy()
        else:
            copy = self._empty(kind)
            self._unfilled.append((value, copy))
        self._copies[id(value)] = copy
        return copy

    def _empty(self, kind: type) -> Any:
        if kind in _CONTAINERS:
            return kind()
        if kind.__module__.startswith("sim."):
            return object.__new__(kind)
        raise TypeError(f"no engine can be copied that keeps a {kind.__module__}.{kind.__qualname__}")

    def fill(self) -> None:
        """Copy the contents of what has been met, until nothing new is met."""
        while self._unfilled:
            old, new = self._unfilled.pop()
            if isinstance(old, dict):
                new.update((self.of(key), self.of(each)) for key, each in old.items())
            elif isinstance(old, set):
                new.update(map(self.of, old))
            elif isinstance(old, list | deque):
                new.extend(map(self.of, old))
            else:
                for name in _fields(old):
                    if hasattr(old, name):
                        setattr(new, name, self.of(getattr(old, name)))


def _fields(record: Any) -> list[str]:
    slots = [name for kind in type(record).__mro__ for name in getattr(kind, "__slots__", ())]
    return slots + list(getattr(record, "__dict__", ()))
