"""Quantities as field types of scenario models: the model holds a float in base units, JSON and YAML hold what people write.

In a file a plain number is refused where a unit is needed. In Python code it is taken as it is: `Breaker(open=5.0)` is five
seconds, because the field holds seconds. (`gameday.scenario.validation.validate` is what reads files.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from gameday import units
from gameday.scenario.base import InWords

WRITTEN_BY_HAND = "written_by_hand"
"""Key of the validation context that says the values come from a file, where a number needs its unit."""

T = TypeVar("T", int, float)


def _reader(parse: Callable[[object], T], largest: float = math.inf) -> Callable[[Any, ValidationInfo], Any]:
    """A validator that parses what people write; numbers from code pass if they are finite, not negative, and not too large."""

    def read(value: Any, info: ValidationInfo) -> Any:
        written = info.mode == "json" or bool(info.context and info.context.get(WRITTEN_BY_HAND))
        if (
            not written
            and isinstance(value, int | float)
            and not isinstance(value, bool)
            and 0 <= value <= largest
            and math.isfinite(value)
        ):
            return value
        return parse(value)

    return read


Duration = Annotated[
    float,
    BeforeValidator(_reader(units.parse_duration, units.MAXIMUM_DURATION_S)),
    PlainSerializer(units.format_duration, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": units.DURATION_PATTERN,
            "maximum": 0,
            "examples": ["90s", "5m", "250ms", "1h30m"],
        }
    ),
    InWords("a duration such as '90s' or '1h30m'"),
]
"""A time in seconds, written `90s`, `5m`, `250ms`, `1h30m`, `2d`, or 0."""

Rate = Annotated[
    float,
    BeforeValidator(_reader(units.parse_rate)),
    PlainSerializer(units.format_rate, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": ["string", "number"], "pattern": units.RATE_PATTERN, "maximum": 0, "examples": ["2000/s", "120/m", "1/h", "5/d"]}
    ),
    InWords("a rate such as '20/s' or '5/d'"),
]
"""Events per second, written `2000/s`, `120/m`, `1/h`, `5/d`, or 0."""

Ratio = Annotated[
    float,
    BeforeValidator(_reader(units.parse_ratio, 1.0)),
    PlainSerializer(units.format_ratio, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": ["string", "number"], "pattern": units.RATIO_PATTERN, "minimum": 0, "maximum": 1, "examples": ["99.9%", 0.999]}
    ),
    InWords("a ratio such as '99.9%' or 0.999"),
]
"""A share between 0 and 1, written `99.9%` or 0.999."""

Size = Annotated[
    int,
    BeforeValidator(_reader(units.parse_size)),
    PlainSerializer(units.format_size, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": ["string", "number"], "pattern": units.SIZE_PATTERN, "maximum": 0, "examples": ["10MB", "4GiB", "512B"]}
    ),
    InWords("a size such as '10MB' or '4GiB'"),
]
"""Bytes, written `10MB` (powers of 1000), `4GiB` (powers of 1024), `512B`, or 0."""

Money = Annotated[
    float,
    PlainValidator(_reader(units.parse_money)),
    PlainSerializer(units.format_money, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": ["string", "number"], "pattern": units.MONEY_PATTERN, "minimum": 0, "examples": ["12.50 EUR", "3 USD", 3]}
    ),
    InWords("an amount such as '12.50 EUR' or 3"),
]
"""An amount of money, written `12.50 EUR`, `3 USD` or a plain number; `gameday.units.currency_of` tells the currency."""
