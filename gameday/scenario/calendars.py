"""Reads the iCalendar files that rotas name, so that a resolved scenario holds the shifts and needs no other file.

Recurring events are expanded over the days of the run (RFC 5545, by the libraries icalendar and recurring-ical-events). A file is looked
for beside the YAML file that names it. The rule that surprises: an occurrence of a series ends at the local time that people see in
their calendars. By the letter of the RFC it would keep its exact length, so every weekly hand-over after a change of the clocks would
leave an hour with two people or with none.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from gameday.errors import BadInput
from gameday.people import zone
from gameday.scenario.files import text_of
from gameday.scenario.tree import Document
from gameday.scenario.validation import Checks
from gameday.units import UnitError, parse_duration

MARGIN = timedelta(days=1)
"""Shifts so long before and after the run are read too."""
MOST_SHIFTS = 5000


def with_shifts(document: Document) -> dict[str, Any]:
    """The document's data with every rota that names a calendar given its shifts. Raises BadInput naming file and event."""
    data, checks = document.data, Checks(document)
    response = data.get("response")
    rotas = response.get("rotas") if isinstance(response, dict) else None
    span = span_of(data)
    for name, rota in rotas.items() if isinstance(rotas, dict) and span is not None else ():
        if isinstance(rota, dict) and isinstance(rota.get("calendar"), str) and rota.get("shifts") is None:
            assert isinstance(response, dict)
            people = response.get("people")
            cast = people if isinstance(people, dict) else {}
            assert span is not None
            rota["shifts"] = _shifts(document, checks, ("response", "rotas", name, "calendar"), rota, cast, span)
    checks.raise_if_any()
    return data


def span_of(data: dict[str, Any]) -> tuple[datetime, datetime] | None:
    """From the day before the run to the day after; None where the run's times are wrong, which is told elsewhere."""
    try:
        starts = datetime.fromisoformat(str(data.get("starts")))
        ends = starts + timedelta(seconds=parse_duration(data.get("duration", "0s")))
    except (UnitError, ValueError, OverflowError):
        return None
    return None if starts.tzinfo is None else (starts - MARGIN, ends + MARGIN)


def _shifts(
    document: Document,
    checks: Checks,
    path: tuple[str, ...],
    rota: dict[str, Any],
    cast: dict[str, Any],
    span: tuple[datetime, datetime],
) -> list[dict[str, str]]:
    import recurring_ical_events
    from icalendar import Calendar

    file = rota["calendar"]
    found = Path(document.position(path).file).parent / file
    try:
        calendar = Calendar.from_ical(text_of(found))
        events = recurring_ical_events.of(calendar).between(*span)
    except BadInput as bad:
        checks.problem(path, f"cannot be read: {bad.problems[0].message}", value=file)
        return []
    except Exception as error:  # noqa: BLE001 - the parsers raise what they like on files that are no calendars
        checks.problem(path, f"is not an iCalendar file: {str(error) or type(error).__name__}", value=file)
        return []
    local = _local(rota, cast)
    lengths = {
        str(each.get("UID")): _lengths(each, local) for each in calendar.walk("VEVENT") if "RRULE" in each or "RDATE" in each
    }
    shifts: list[dict[str, str]] = []
    for event in sorted(events[:MOST_SHIFTS], key=lambda one: (_ends(one, local)[0], str(one.get("SUMMARY", "")))):
        people = _people(event, cast)
        starts, ends = _ends(event, local)
        series = lengths.get(str(event.get("UID")))
        if series is not None and series[0] == ends.astimezone(UTC) - starts.astimezone(UTC):
            ends = (starts.replace(tzinfo=None) + series[1]).replace(tzinfo=starts.tzinfo)
        if not people:
            summary = str(event.get("SUMMARY", ""))
            message = f"the event of {starts:%Y-%m-%d %H:%M} in {file} names nobody of response.people"
            checks.problem(path, message, value=summary, candidates=cast)
        shifts += [
            {"person": person, "starts": starts.isoformat(), "ends": ends.isoformat()} for person in people if starts < ends
        ]
    return shifts


def _people(event: Any, cast: dict[str, Any]) -> list[str]:
    """Who an event means: names of the cast among the words of its summary, its attendees' names, and their addresses' local parts."""
    attendees = event.get("ATTENDEE", [])
    attendees = attendees if isinstance(attendees, list) else [attendees]
    texts = [str(event.get("SUMMARY", ""))]
    texts += [str(each.params.get("CN", "")) for each in attendees]
    texts += [str(each).lower().removeprefix("mailto:").partition("@")[0] for each in attendees]
    words = {word for text in texts for word in (text.casefold().strip(), *re.split(r"[\s,;:()/<>]+", text.casefold()))}
    return [name for name in cast if str(name).casefold() in words]


def _local(rota: dict[str, Any], cast: dict[str, Any]) -> tzinfo:
    """The clock of times without a zone: the rota's, else that of the first person of the cast."""
    first = next((person for person in cast.values() if isinstance(person, dict)), {})
    try:
        return zone(str(rota.get("timezone") or first.get("timezone") or "UTC"))
    except ValueError:
        return zone("UTC")


def _ends(event: Any, local: tzinfo) -> tuple[datetime, datetime]:
    """Start and end; an event of whole days without an end lasts one (RFC 5545, 3.6.1)."""
    starts = event["DTSTART"].dt
    if "DTEND" in event:
        ends = event["DTEND"].dt
    elif "DURATION" in event:
        ends = starts + event["DURATION"].dt
    else:
        ends = starts if isinstance(starts, datetime) else starts + timedelta(days=1)
    return _instant(starts, local), _instant(ends, local)


def _lengths(event: Any, local: tzinfo) -> tuple[timedelta, timedelta]:
    """Length of a series' event, exact and on the clock; they differ where the clocks change within it."""
    starts, ends = _ends(event, local)
    clock = ends.astimezone(starts.tzinfo).replace(tzinfo=None) - starts.replace(tzinfo=None)
    return ends.astimezone(UTC) - starts.astimezone(UTC), clock


def _instant(at: date | datetime, local: tzinfo) -> datetime:
    """An event's end as an instant; a day begins at midnight."""
    whole = at if isinstance(at, datetime) else datetime(at.year, at.month, at.day)  # noqa: DTZ001 - the zone follows
    if whole.tzinfo is None:
        return whole.replace(tzinfo=local)
    # The library's zones are pytz's, which do arithmetic on the clock wrong; they carry the IANA name.
    name = getattr(whole.tzinfo, "zone", None)
    return whole.astimezone(zone(name)) if isinstance(name, str) else whole


def events_between(text: str, span: tuple[datetime, datetime]) -> list[Any]:
    """The events of an iCalendar text in a span, recurring ones expanded. ValueError for what is no calendar."""
    import recurring_ical_events
    from icalendar import Calendar

    try:
        return list(recurring_ical_events.of(Calendar.from_ical(text)).between(*span))
    except Exception as error:
        raise ValueError(f"is not an iCalendar file: {str(error) or type(error).__name__}") from error


def starts_and_ends(event: Any, local: tzinfo | None) -> tuple[datetime, datetime]:
    """Start and end of an event; `local` is the clock of times without a zone."""
    return _ends(event, local or UTC)
