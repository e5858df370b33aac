"""Which of the two engines plays a plan. They give identical numbers, so the choice is one of speed only.

The rule that surprises: `auto` takes the compiled engine whenever numba can be imported; there is no plan and no change that only the
plain one can play.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Literal

from sim.streams import Streams
from sim.traffic import Engine
from sim.traffic.plan import CLIENT, ClassPlan, EdgePlan, FlowPlan, InstancePlan, Plan, ServiceTime, StationPlan

EngineKind = Literal["auto", "plain", "compiled"]


class NoCompilerError(RuntimeError):
    """The compiled engine was asked for by name, and numba is missing."""


def compiler_present() -> bool:
    """Whether numba is installed; looks without importing it."""
    return find_spec("numba") is not None


_MISSING = (
    "the compiled engine needs numba, which cannot be imported here: install it (pip install numba) "
    "or take the plain engine, which gives the same numbers more slowly"
)


def make_engine(plan: Plan, streams: Streams, kind: EngineKind = "auto") -> Engine:
    """An engine for a plan: `plain`, `compiled`, or `auto` = compiled where numba is installed, else plain.

    Raises NoCompilerError if `compiled` is wanted and numba is missing, PlanError if no engine can play the plan.
    """
    if can_compile(kind):
        from sim.traffic.compiled import CompiledEngine

        return CompiledEngine(plan, streams)
    from sim.traffic.plain import PlainEngine

    return PlainEngine(plan, streams)


def can_compile(kind: EngineKind) -> bool:
    """Whether the compiled engine is wanted and can play; compiles it if it has to. Warns where numba is there and broken. NoCompilerError as `make_engine`."""
    if kind == "plain" or (kind == "auto" and not compiler_present()):
        return False
    try:
        from sim.traffic.compiled import native

        native.load()
    except ImportError as error:
        if kind == "compiled":
            raise NoCompilerError(_MISSING) from error
        warnings.warn(
            f"numba is installed but cannot be imported ({error}): the plain engine plays", RuntimeWarning, stacklevel=3
        )
        return False
    return True


@dataclass(frozen=True, slots=True)
class Warmth:
    """What `warm_up` did: whether it had to compile, how long it took, where the result is kept (None: nowhere)."""

    compiled: bool
    seconds: float
    folder: Path | None


def warm_up() -> Warmth:
    """Compile the kernel, or load it if it is in the cache. Raises NoCompilerError if numba is missing."""
    started = perf_counter()
    engine = make_engine(_SMALLEST, Streams(0), "compiled")
    engine.advance(0.1)
    engine.observe()
    from sim.traffic.compiled import native

    kernel = native.load()
    return Warmth(kernel.compiled, perf_counter() - started, kernel.folder)


def is_cold() -> bool:
    """Whether the first day of this process will compile the kernel: it is kept nowhere."""
    try:
        from sim.traffic.compiled import native

        return native.COMPILED and native.find() is None
    except ImportError:
        return False


_SMALLEST = Plan(
    ("zone",),
    ((0.0,),),
    (StationPlan("station", (InstancePlan("instance", 0, 1, 1),), ServiceTime("constant", 0.001)),),
    (EdgePlan("entry", CLIENT, ((0, 1.0),)),),
    (ClassPlan("class", 0, 1.0),),
    (FlowPlan("flow", 0, 0, 0, ((0.0, 1.0),)),),
)
