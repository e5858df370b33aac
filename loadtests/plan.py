"""What a load generator plays: a scenario's classes, a target's routes, the share of one driver, and where to write.

The rule that surprises: Locust's own user count says nothing here. There is one driver a class (or `--drivers` of them), and it has as
many requests under way as arrivals demand.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gameday.scenario import read_played, read_scenario
from gameday.scenario.model import Scenario
from gameday.target import Target, read_target


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """One load test."""

    scenario: Scenario
    target: Target
    seed: int
    drivers: int
    stream: Path | None
    """Folder the streams go to; None = only Locust's own statistics."""
    clock: Path | None
    """File that says when instant 0 is; None = when the test starts."""

    @classmethod
    def of(cls, options: Any) -> LoadPlan:
        """From the options of the locustfile. BadInput with everything that is wrong."""
        overrides = [each for each in (options.overrides or "").split(";") if each]
        return cls(
            read_played(options.scenario) if options.clock else read_scenario(Path(options.scenario), overrides),
            read_target(options.target),
            int(options.seed),
            int(options.drivers),
            Path(options.stream) if options.stream else None,
            Path(options.clock) if options.clock else None,
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes that have a route."""
        return tuple(name for name in self.scenario.load.classes if name in self.target.routes)

    def starts_at(self) -> float:
        """Instant 0 on the machine's monotonic clock."""
        if self.clock is None:
            return time.monotonic()
        return float(json.loads(self.clock.read_text(encoding="utf-8"))["monotonic"])
