"""Reads the file that a change calendar names, iCalendar or YAML, so that a resolved scenario holds the changes and needs no other file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from gameday.errors import BadInput
from gameday.scenario.calendars import events_between, span_of, starts_and_ends
from gameday.scenario.files import text_of
from gameday.scenario.reading import parse_yaml
from gameday.scenario.tree import Document
from gameday.scenario.validation import Checks


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
