"""The clock of a live run: seconds since its start, the same in every process on the machine.

The rule that surprises: it follows the monotonic clock, which all processes since the last boot share, so that a correction of the wall
clock in the middle of a day moves nothing.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from gameday.atomic_files import write_atomically


@dataclass(frozen=True, slots=True)
class RunClock:
    """When instant 0 of the run is."""

    wall: float
    """Seconds since 1970 at instant 0."""
    monotonic: float
    """The machine's monotonic clock at instant 0."""

    @classmethod
    def starting_in(cls, seconds: float) -> RunClock:
        """A clock whose instant 0 is so many seconds ahead."""
        return cls(time.time() + seconds, time.monotonic() + seconds)

    @classmethod
    def read(cls, path: Path) -> RunClock:
        """The clock that another process has written."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path) -> None:
        """For other processes."""
        write_atomically(path, json.dumps(asdict(self)).encode())

    def now(self) -> float:
        """Seconds since instant 0; negative before it."""
        return time.monotonic() - self.monotonic

    def wall_at(self, t: float) -> float:
        """Seconds since 1970 at an instant of the run."""
        return self.wall + t
