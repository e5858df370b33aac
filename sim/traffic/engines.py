"""Which of the two engines plays a plan. They give identical numbers, so the choice is one of speed only.

The rule that surprises: `auto` takes the compiled engine whenever numba can be imported; there is no plan and no change that only the
plain one can play.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from sim.streams import Streams
from sim.traffic import Engine
from sim.traffic.plan import Plan

EngineKind = Literal["auto", "plain", "compiled"]


class NoCompilerError(RuntimeError):
    """The compiled engine was asked for by name, and numba is missing."""


def compiler_present() -> bool:
    """Whether numba is installed; looks without importing it."""
    return find_spec("numba") is not None


def make_engine(plan: Plan, streams: Streams, kind: EngineKind = "auto") -> Engine:
    """An engine for a plan: `plain`, `compiled`, or `auto` = compiled where numba is installed, else plain.

    Raises NoCompilerError if `compiled` is wanted and numba is missing, PlanError if no engine can play the plan.
    """
    if kind == "compiled" or (kind == "auto" and compiler_present()):
        try:
            from sim.traffic.compiled import CompiledEngine
        except ImportError as error:
            if kind == "compiled":
                raise NoCompilerError(
                    "the compiled engine needs numba, which cannot be imported here: install it (pip install numba) "
                    "or take the plain engine, which gives the same numbers more slowly"
                ) from error
        else:
            return CompiledEngine(plan, streams)
    from sim.traffic.plain import PlainEngine

    return PlainEngine(plan, streams)
