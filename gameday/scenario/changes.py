"""The change calendar: what change management knows will be worked on, so that its alerts are silenced meanwhile.

The rule that surprises: the calendar silences, it does no work. What is really done is in `schedule.maintenance`; where the two differ (work
nobody announced, a window too short), people are paged or kept from a real outage, as in life.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import AwareDatetime

from gameday.scenario.base import Strict


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


def silences_of(calendar: ChangeCalendar | None, starts: datetime) -> list[tuple[PlannedChange, float, float]]:
    """The changes with start and end in seconds from the start of the run."""
    changes = calendar.changes if calendar is not None and calendar.changes is not None else []
    return [
        (each, (each.starts - starts) / timedelta(seconds=1), (each.ends - starts) / timedelta(seconds=1)) for each in changes
    ]
