"""Distributions of times, as they are written: a named family, or durations that were measured."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from gameday.scenario.base import InWords, Strict
from gameday.scenario.quantities import Duration


def _distribution(value: Any) -> Any:
    """`exponential 12ms`, `lognormal 12ms cv 0.8`, or `12ms` (constant) as a mapping."""
    if not isinstance(value, str):
        return value
    words = value.split()
    if len(words) == 1:
        return {"family": "constant", "mean": words[0]}
    if len(words) == 2:
        return {"family": words[0], "mean": words[1]}
    if len(words) == 4 and words[2] == "cv":
        return {"family": words[0], "mean": words[1], "cv": words[3]}
    raise ValueError("expected '<family> <mean>' or '<family> <mean> cv <number>', e.g. 'lognormal 12ms cv 0.8'")


class Distribution(Strict):
    """A named distribution of a time. Written as a mapping or in short: `exponential 12ms`, `lognormal 12ms cv 0.8`."""

    family: Literal["constant", "exponential", "lognormal", "gamma"]
    """Shape of the distribution."""
    mean: Duration
    """Mean time."""
    cv: Annotated[float, Field(gt=0, le=20)] = 1.0
    """Coefficient of variation (standard deviation / mean) of lognormal and gamma."""

    @property
    def deviation(self) -> float:
        """Standard deviation, seconds."""
        return self.mean * {"constant": 0.0, "exponential": 1.0}.get(self.family, self.cv)


class Empirical(Strict):
    """Times that were measured, from a column of a CSV file: each of them is drawn as often as any other (the empirical distribution)."""

    family: Literal["empirical"]
    """Times from a file."""
    file: str | None = None
    """CSV file with a header, relative to the file that names it."""
    column: str = "value"
    """Column of times."""
    unit: Literal["s", "ms", "us"] = "s"
    """Unit of the times in the file."""
    values: Annotated[list[Annotated[float, Field(ge=0, le=86_400)]], Field(min_length=1, max_length=100_000)] | None = None
    """The times themselves, in seconds; filled from the file, so that a run folder is complete."""

    @property
    def mean(self) -> float:
        """Their mean, seconds."""
        assert self.values, "measured times are read when the scenario is loaded"
        return sum(self.values) / len(self.values)

    @property
    def deviation(self) -> float:
        """Their standard deviation, seconds."""
        from statistics import pstdev

        assert self.values, "measured times are read when the scenario is loaded"
        return pstdev(self.values)


_Words = InWords("a distribution such as 'exponential 12ms', or a mapping")
Time = Annotated[Distribution, BeforeValidator(_distribution), _Words]
"""A distribution of a time, long or short form."""

ServiceTime = Annotated[
    Annotated[Distribution | Empirical, Field(discriminator="family")], BeforeValidator(_distribution), _Words
]
"""The same, or measured times."""
