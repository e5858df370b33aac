"""iCalendar rotas: recurring events, all-day shifts, zones, exceptions, and files that are no rotas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gameday.errors import BadInput
from gameday.rotas import rota
from gameday.scenario import dump, read_scenario
from gameday.scenario.model import Scenario

HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example//rota//EN\r\n"
TAIL = "END:VCALENDAR\r\n"


def event(summary: str, *lines: str, uid: str = "a") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}@example.org", f"SUMMARY:{summary}", *lines, "END:VEVENT", ""])


WEEKLY = event(
    "On call: Ana",
    "DTSTART;TZID=Europe/Berlin:20260105T090000",
    "DTEND;TZID=Europe/Berlin:20260112T090000",
    "RRULE:FREQ=WEEKLY;INTERVAL=2",
)
OTHER_WEEK = event(
    "secondary",
    "DTSTART;TZID=Europe/Berlin:20260112T090000",
    "DTEND;TZID=Europe/Berlin:20260119T090000",
    "RRULE:FREQ=WEEKLY;INTERVAL=2",
    "ATTENDEE;CN=Bo:mailto:bo@example.org",
    uid="b",
)


def read(folder: Path, *events: str, starts: str = "2026-03-30T08:30:00+02:00") -> Scenario:
    (folder / "rota.ics").write_text(HEAD + "".join(events) + TAIL, encoding="utf-8", newline="")
    patch = {
        "include": ["practices/bases/small-shop.yaml"],
        "starts": starts,
        "response": {
            "rotas": {"shop": {"calendar": "rota.ics", "timezone": "Europe/Berlin"}},
            "escalations": {"default": {"levels": [{"notify": ["rota/shop"]}]}},
        },
    }
    file = folder / "day.yaml"
    file.write_text(json.dumps(patch), encoding="utf-8")
    return read_scenario(file)


def on_call(scenario: Scenario, minute: int) -> tuple[str, ...]:
    from datetime import timedelta

    found = rota(scenario.response.rotas["shop"], scenario.response, scenario.starts)
    return found.on_call(scenario.starts + timedelta(minutes=minute))


def test_a_weekly_hand_over_keeps_its_local_time_over_the_change_of_the_clocks(tmp_path: Path) -> None:
    """Written in January, handed over on the Monday after the clocks went forward: at 09:00 in Berlin, which is 07:00 UTC now."""
    scenario = read(tmp_path, WEEKLY, OTHER_WEEK)
    assert on_call(scenario, 29) == ("bo",)
    assert on_call(scenario, 30) == ("ana",)


def test_an_exception_of_a_series_and_a_moved_occurrence_count(tmp_path: Path) -> None:
    holiday = WEEKLY.replace("RRULE", "EXDATE;TZID=Europe/Berlin:20260330T090000\r\nRRULE")
    assert on_call(read(tmp_path, holiday, OTHER_WEEK), 30) == ()
    moved = event(
        "Ana",
        "RECURRENCE-ID;TZID=Europe/Berlin:20260330T090000",
        "DTSTART;TZID=Europe/Berlin:20260330T093000",
        "DTEND;TZID=Europe/Berlin:20260406T090000",
    )
    found = read(tmp_path, WEEKLY, moved)
    assert [on_call(found, 45), on_call(found, 60)] == [(), ("ana",)]


def test_an_event_of_whole_days_begins_at_midnight_of_the_rota(tmp_path: Path) -> None:
    day = event("cy", "DTSTART;VALUE=DATE:20260331", "DTEND;VALUE=DATE:20260401")
    scenario = read(tmp_path, day, starts="2026-03-30T23:30:00+02:00")
    assert [on_call(scenario, 29), on_call(scenario, 30), on_call(scenario, 24 * 60 + 30)] == [(), ("cy",), ()]


def test_the_resolved_scenario_needs_no_calendar(tmp_path: Path) -> None:
    scenario = read(tmp_path, WEEKLY, OTHER_WEEK)
    (tmp_path / "rota.ics").unlink()
    alone = tmp_path / "alone.yaml"
    alone.write_text(dump(scenario), encoding="utf-8")
    assert on_call(read_scenario(alone), 30) == ("ana",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no calendar at all", "is not an iCalendar file"),
        (HEAD + event("On call: Anna", "DTSTART:20260330T070000Z", "DTEND:20260331T070000Z") + TAIL, "names nobody"),
        (HEAD + TAIL, "nobody is in this rota: its calendar has no shift in the days of the run"),
        (HEAD + event("ana", "DTSTART:20190330T070000Z", "DTEND:20190331T070000Z") + TAIL, "no shift in the days of the run"),
    ],
)
def test_a_calendar_that_gives_no_rota_is_told_with_file_and_field(tmp_path: Path, text: str, said: str) -> None:
    read(tmp_path, WEEKLY)
    (tmp_path / "rota.ics").write_text(text, encoding="utf-8", newline="")
    with pytest.raises(BadInput, match=said) as bad:
        read_scenario(tmp_path / "day.yaml")
    assert "day.yaml:1" in str(bad.value)


def test_a_calendar_that_is_not_there_is_told(tmp_path: Path) -> None:
    read(tmp_path, WEEKLY)
    (tmp_path / "rota.ics").unlink()
    with pytest.raises(BadInput, match="cannot be read: does not exist"):
        read_scenario(tmp_path / "day.yaml")
