"""The safety lever: engaged, every running day of this user heals at once and no new one starts, until somebody gives a reason to go on.

It is a file, so that it works from any terminal and outlives every process; each change is appended to a log beside it.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gameday.atomic_files import write_atomically
from gameday.errors import GamedayError

VARIABLE = "GAMEDAY_STATE"
"""Environment variable with the folder of the lever; default `$XDG_STATE_HOME/gameday`, `~/.local/state/gameday`."""


@dataclass(frozen=True, slots=True)
class Lever:
    """One user's lever."""

    folder: Path

    @classmethod
    def of_user(cls) -> Lever:
        """The lever of whoever runs this."""
        named = os.environ.get(VARIABLE)
        base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        return cls(Path(named) if named else Path(base) / "gameday")

    @property
    def file(self) -> Path:
        """There while the lever is engaged."""
        return self.folder / "aborted.json"

    def engaged(self) -> str | None:
        """Why no day may run; None when one may. A lever that cannot be read counts as engaged."""
        try:
            found = json.loads(self.file.read_text(encoding="utf-8"))
            return str(found["why"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            return f"{self.file} cannot be read: {error}"

    def engage(self, why: str) -> None:
        """Stop everything. Doing it twice keeps the first reason."""
        if self.engaged() is None:
            self._make_folder()
            write_atomically(self.file, json.dumps({"why": why, "at": time.time()}).encode())
        self._log("aborted", why)

    def release(self, why: str) -> None:
        """Let days run again. GamedayError without a reason."""
        if not why.strip():
            raise GamedayError('say why it is safe again: gameday rearm --why "..."')
        self._log("rearmed", why)
        self.file.unlink(missing_ok=True)

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise GamedayError(f"cannot create {self.folder}: {error.strerror}") from error

    def _log(self, what: str, why: str) -> None:
        self._make_folder()
        record: dict[str, Any] = {"at": time.time(), "what": what, "why": why}
        with (self.folder / "lever.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
