"""Randomness by name: every component draws from its own stream, derived from (seed, replication, name).

The rule that surprises: a stream does not depend on which other streams exist, so adding a service to a system moves no
other service's numbers, and two policies on the same seed meet the same world (common random numbers).
"""

from __future__ import annotations

from hashlib import sha256

import numpy as np

_BLOCK = 1024


class Streams:
    """Hands out generators for one replication of one seed."""

    def __init__(self, seed: int, replication: int = 0) -> None:
        self.seed = seed
        self.replication = replication

    def generator(self, name: str) -> np.random.Generator:
        """A fresh generator for `name`; asking twice gives the same numbers twice."""
        words = np.frombuffer(sha256(name.encode()).digest()[:16], dtype="<u4")
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, self.replication, *map(int, words)])))

    def draws(self, name: str) -> Draws:
        """The stream `name` as single floats, cheap to take one at a time."""
        return Draws(self.generator(name))


class Draws:
    """Single draws out of blocks: about 60 ns each instead of 600.

    Each kind of draw has its own sub-stream, so that taking a uniform never shifts the exponentials.
    """

    __slots__ = ("_exponentials", "_generators", "_normals", "_uniforms")

    def __init__(self, generator: np.random.Generator) -> None:
        self._generators = generator.spawn(4)
        self._uniforms: list[float] = []
        self._exponentials: list[float] = []
        self._normals: list[float] = []

    def uniform(self) -> float:
        """Uniform on [0, 1)."""
        if not self._uniforms:
            self._uniforms = self._generators[0].random(_BLOCK)[::-1].tolist()
        return self._uniforms.pop()

    def exponential(self) -> float:
        """Exponential with mean 1."""
        if not self._exponentials:
            self._exponentials = self._generators[1].standard_exponential(_BLOCK)[::-1].tolist()
        return self._exponentials.pop()

    def normal(self) -> float:
        """Standard normal."""
        if not self._normals:
            self._normals = self._generators[2].standard_normal(_BLOCK)[::-1].tolist()
        return self._normals.pop()

    def gamma(self, shape: float) -> float:
        """Gamma with the given shape and scale 1."""
        return float(self._generators[3].standard_gamma(shape))
