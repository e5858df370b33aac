"""How old the newest live run of a game day is, against how often its scenario asks for one.

The rule that surprises: a run counts as live by its timeline, whose first event says where it came from, not by what a record claims.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gameday.errors import GamedayError
from gameday.runfolder import RunFolder
from gameday.units import format_duration

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """The newest live run of one game day."""

    scenario: str
    state: Literal["current", "expired", "missing"]
    run: str | None
    """Name of its folder."""
    age_s: float | None
    within_s: float
    """How often the scenario asks for one."""

    def __str__(self) -> str:
        asked = f"a live run every {format_duration(self.within_s)} is asked for"
        if self.age_s is None:
            return f"{self.scenario}: no live run; {asked}"
        days = self.age_s / DAY_S
        return f"{self.scenario}: {self.state}, the newest live run ({self.run}) is {days:.0f} days old; {asked}"


def live_runs(folders: Iterable[Path]) -> dict[str, tuple[datetime, str]]:
    """Game day to when its newest finished live run began, and in which folder it lies. Folders that are no runs are passed over."""
    newest: dict[str, tuple[datetime, str]] = {}
    for folder in folders:
        for record_file in sorted(folder.glob("*/run.json")):
            with suppress(GamedayError, OSError, ValueError, KeyError):
                run = RunFolder(record_file.parent)
                record = run.read_record()
                if record.interrupted or not _is_live(run.timeline):
                    continue
                found = datetime.fromisoformat(record.started), run.path.name
                newest[record.scenario] = max(found, newest.get(record.scenario, found))
    return newest


def _is_live(timeline: Path) -> bool:
    with timeline.open("rb") as file:
        file.readline()
        first = file.readline()
    return bool(first) and json.loads(first).get("source") == "live"


def evidence(scenario: Scenario, runs: Mapping[str, tuple[datetime, str]], now: datetime) -> Evidence | None:
    """How the newest live run stands; None when the scenario asks for none."""
    within = scenario.live_every
    if within is None:
        return None
    if scenario.name not in runs:
        return Evidence(scenario.name, "missing", None, None, within)
    began, name = runs[scenario.name]
    age = (now - began).total_seconds()
    return Evidence(scenario.name, "current" if age <= within else "expired", name, age, within)
