"""The compiled engine; see `engine.py`. Importing this needs numba: `sim.traffic.engines` does it only when it is wanted."""

from __future__ import annotations

from sim.traffic.compiled.engine import CompiledEngine

__all__ = ["CompiledEngine"]
