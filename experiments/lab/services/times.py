"""Service times by name: the scenario language's distributions, drawn from a generator of the process's own."""

from __future__ import annotations

import math
import random

from pydantic import TypeAdapter, ValidationError

from gameday.scenario.times import Distribution, Time

_READER: TypeAdapter[Distribution] = TypeAdapter(Time)


class ServiceTime:
    """Draws times in seconds from a distribution such as `lognormal 40ms cv 0.5`."""

    def __init__(self, text: str, seed: str) -> None:
        """ValueError when the text is no distribution. `seed` makes the draws of one process reproducible."""
        self._random = random.Random(seed)  # noqa: S311 - times, not secrets
        self.set(text)

    def set(self, text: str) -> None:
        """Another distribution from now on. ValueError when the text is none."""
        try:
            self._distribution = _READER.validate_python(text)
        except ValidationError as error:
            raise ValueError(f"'{text}' is no distribution such as 'lognormal 40ms cv 0.5'") from error
        self.text = text

    def draw(self) -> float:
        """One time. lognormal and gamma have the given mean and coefficient of variation."""
        mean, cv = self._distribution.mean, self._distribution.cv
        match self._distribution.family:
            case "constant":
                return mean
            case "exponential":
                return self._random.expovariate(1 / mean) if mean else 0.0
            case "lognormal":
                sigma2 = math.log(1 + cv * cv)
                return self._random.lognormvariate(math.log(mean) - sigma2 / 2, math.sqrt(sigma2)) if mean else 0.0
            case "gamma":
                return self._random.gammavariate(1 / (cv * cv), mean * cv * cv) if mean else 0.0
