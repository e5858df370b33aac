"""The change calendar: what change management knows will be worked on, so that its alerts are silenced meanwhile.

The rule that surprises: the calendar silences, it does no work. What is really done is in `schedule.maintenance`; where the two differ (work
nobody announced, a window too short), people are paged or kept from a real outage, as in life.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime

from gameday.errors import BadInput
from gameday.scenario.base import Strict
from gameday.scenario.calendars import events_between, span_of, starts_and_ends
from gameday.scenario.files import text_of
from gameday.scenario.reading import parse_yaml
from gameday.scenario.tree import Document
from gameday.scenario.validation import Checks


class PlannedChange(Strict):
    """One change: alerts about its target are silenced while it lasts."""

    what: str
    """What is done."""
    target: str
    """Selector of what is worked on."""
    starts: AwareDatetime
    """Start."""
    ends: AwareDatetime
    """End."""


class ChangeCalendar(Strict):
    """The change calendar, as iCalendar or YAML, or written here."""

    file: str | None = None
    """`.ics`: events whose LOCATION is the selector of what is worked on. `.yaml`: a list `changes` as below. Relative to the file that
    names it."""
    changes: list[PlannedChange] | None = None
    """The changes of the day; filled from the file, so that a run folder is complete."""


def with_changes(document: Document) -> dict[str, Any]:
    """The document's data with the change calendar read. Raises BadInput naming file and event."""
    data, checks = document.data, Checks(document)
    monitoring = data.get("monitoring")
    calendar = monitoring.get("change_calendar") if isinstance(monitoring, dict) else None
    span = span_of(data)
    if isinstance(calendar, dict) and isinstance(calendar.get("file"), str) and calendar.get("changes") is None and span:
        path = ("monitoring", "change_calendar", "file")
        name = calendar["file"]
        try:
            text = text_of(Path(document.position(path).file).parent / name)
            calendar["changes"] = _yaml(text, name) if name.endswith((".yaml", ".yml")) else _events(text, name, span)
        except BadInput as bad:
            calendar["changes"] = []
            for problem in bad.problems:
                checks.problem(path, f"cannot be read: {problem.message}", value=problem.value or name)
        except ValueError as wrong:
            calendar["changes"] = []
            checks.problem(path, str(wrong), value=name)
    checks.raise_if_any()
    return data


def _yaml(text: str, name: str) -> Any:
    changes = parse_yaml(text, name).data.get("changes")
    if not isinstance(changes, list):
        raise ValueError("has no list 'changes' (what, target, starts, ends)")  # noqa: TRY004 - it is no bug of a caller
    return changes


def _events(text: str, name: str, span: tuple[datetime, datetime]) -> list[dict[str, str]]:
    found = []
    for event in events_between(text, span):
        starts, ends = starts_and_ends(event, span[0].tzinfo)
        target = str(event.get("LOCATION", "")).strip()
        if not target:
            raise ValueError(
                f"the event of {starts:%Y-%m-%d %H:%M} in {name} has no LOCATION with what is worked on, e.g. service/checkout"
            )
        change = {"what": str(event.get("SUMMARY", "")) or "planned change", "target": target}
        found.append({**change, "starts": starts.isoformat(), "ends": ends.isoformat()})
    return sorted(found, key=lambda each: each["starts"])


def silences_of(calendar: ChangeCalendar | None, starts: datetime) -> list[tuple[PlannedChange, float, float]]:
    """The changes with start and end in seconds from the start of the run."""
    changes = calendar.changes if calendar is not None and calendar.changes is not None else []
    return [
        (each, (each.starts - starts) / timedelta(seconds=1), (each.ends - starts) / timedelta(seconds=1)) for each in changes
    ]
