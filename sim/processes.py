"""Types of SimPy processes: a `Process` runs by itself, a `Steps[T]` is part of one (`yield from`) and returns something."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import simpy

Result = TypeVar("Result")
Steps = Generator[simpy.Event, Any, Result]
Process = Generator[simpy.Event, Any, None]
