"""The compiled engine; see `engine.py`. Importing it needs neither numba nor a kernel: an engine does when it is made."""

from __future__ import annotations

from sim.traffic.compiled.engine import CompiledEngine

__all__ = ["CompiledEngine"]
