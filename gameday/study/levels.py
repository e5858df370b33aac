"""Values of a range, with the unit they were written with."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

_NUMBER = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z%/]*)\s*")


class LevelError(ValueError):
    """A range that cannot be divided; the text says why."""


def number_of(written: str | float) -> tuple[float, str]:
    """Number and unit of a value: `15s` is 15 and `s`. LevelError."""
    found = _NUMBER.fullmatch(str(written))
    if isinstance(written, bool) or found is None:
        raise LevelError("must be two numbers with the same unit, e.g. [5s, 60s]")
    return float(found[1]), found[2]


def spread(ends: Sequence[str | float], scale: str, places: Sequence[float], *, whole: bool) -> list[str]:
    """The values at places between 0 and 1 of a range, as they are written in a scenario. LevelError."""
    (low, unit), (high, other) = number_of(ends[0]), number_of(ends[1])
    if unit != other:
        raise LevelError("must have the same unit at both ends")
    if not low < high:
        raise LevelError("must have the lower end first")
    if scale == "log" and low <= 0:
        raise LevelError("on a log scale must begin above 0")
    found = []
    for place in places:
        value = low * (high / low) ** place if scale == "log" else low + (high - low) * place
        if whole:
            value = min(math.floor(high), max(math.ceil(low), round(value)))
        found.append(f"{value:.6g}{unit}")
    return found
