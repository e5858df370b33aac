"""The rollback plan: what has to be undone, on disk before anything is done.

The rule that surprises: a fault is `injecting` on disk before the first call that breaks something, so whoever reads the plan after a
crash heals also what may only have begun. Healing twice is harmless; not healing is not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from gameday.atomic_files import write_atomically
from gameday.errors import BadInput, Problem

State = Literal["planned", "injecting", "injected", "healed"]
VERSION: Final = 1


@dataclass(slots=True)
class Undo:
    """One fault and how to take it away."""

    index: str
    fault: str
    parameters: dict[str, Any]
    selector: str
    """As the scenario writes it."""
    pinned: str | None = None
    """What it meant when it was injected."""
    state: State = "planned"
    live: dict[str, Any] | None = None
    """The Chaos Toolkit activities that stand for it, where the scenario names some."""


@dataclass(slots=True)
class RollbackPlan:
    """All faults of a run."""

    path: Path
    target: str
    scenario: str
    faults: list[Undo] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> RollbackPlan:
        """The plan on disk. BadInput when it is none."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["rollbacks"] != VERSION:
                raise ValueError(f"is version {found['rollbacks']!r}, and this gameday reads {VERSION}")  # noqa: TRY301
            return cls(path, found["target"], found["scenario"], [Undo(**each) for each in found["faults"]])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput([Problem(str(path), None, None, "", None, f"is no rollback plan: {error}")]) from error

    def write(self) -> None:
        """Bring it to the disk, whole or not at all. GamedayError when that fails: then nothing may be broken."""
        content = {
            "rollbacks": VERSION,
            "target": self.target,
            "scenario": self.scenario,
            "faults": [asdict(each) for each in self.faults],
        }
        write_atomically(self.path, json.dumps(content, indent=1).encode())

    def of(self, index: str) -> Undo:
        """One fault of the plan."""
        return next(each for each in self.faults if each.index == index)

    def mark(self, index: str, state: State, pinned: str | None = None) -> None:
        """Write down how far a fault is."""
        found = self.of(index)
        found.state = state
        found.pinned = pinned or found.pinned
        self.write()

    def open(self) -> list[Undo]:
        """What is, or may be, in place; the newest first, for that is the order to undo it in."""
        return [each for each in reversed(self.faults) if each.state in {"injecting", "injected"}]


@contextmanager
def one_healer(path: Path) -> Iterator[bool]:
    """True for whoever may heal by this plan now; two at once would undo each other's counting. Freed when its process dies."""
    import fcntl

    handle = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield True
    finally:
        os.close(handle)
