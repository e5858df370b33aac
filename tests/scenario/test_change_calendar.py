"""The change calendar, from iCalendar and from YAML."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from gameday.errors import BadInput
from gameday.scenario import read_scenario
from gameday.scenario.changes import silences_of

TEXT = (Path(__file__).parent.parent / "data" / "good.yaml").read_text(encoding="utf-8")
STARTS = datetime.fromisoformat("2026-03-04T02:00:00+01:00")
ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
SUMMARY:kernel update
LOCATION:service/web@eu-1
DTSTART;TZID=Europe/Berlin:20260225T021500
DTEND;TZID=Europe/Berlin:20260225T024500
RRULE:FREQ=WEEKLY;COUNT=4
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTAMP:20260101T000000Z
SUMMARY:last month
LOCATION:zone/eu-1a
DTSTART:20260201T000000Z
DTEND:20260201T010000Z
END:VEVENT
END:VCALENDAR
"""
YAML = """changes:
- {what: kernel update, target: service/web@eu-1, starts: "2026-03-04T02:15:00+01:00", ends: "2026-03-04T02:45:00+01:00"}
"""


def day(folder: Path, file: str, text: str) -> Path:
    (folder / file).write_text(text.replace("\n", "\r\n") if file.endswith(".ics") else text, encoding="utf-8")
    path = folder / "day.yaml"
    path.write_text(TEXT.replace("  silences:", f"  change_calendar: {{file: {file}}}\n  silences:"), encoding="utf-8")
    return path


@pytest.mark.parametrize(("file", "text"), [("changes.ics", ICS), ("changes.yaml", YAML)])
def test_a_change_becomes_a_window_of_the_run_recurring_ones_too(file: str, text: str, tmp_path: Path) -> None:
    calendar = read_scenario(day(tmp_path, file, text)).monitoring.change_calendar
    assert [(each.what, each.target, begins, ends) for each, begins, ends in silences_of(calendar, STARTS)] == [
        ("kernel update", "service/web@eu-1", 900.0, 2700.0)
    ]


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("changes.ics", "no calendar", "is not an iCalendar file"),
        ("changes.ics", ICS.replace("LOCATION:service/web@eu-1\n", ""), "has no LOCATION with what is worked on"),
        ("changes.yaml", "change: []", "has no list 'changes'"),
        ("changes.yaml", YAML.replace("service/web@eu-1", "service/wbe"), "service/wbe"),
        ("changes.yaml", YAML.replace("T02:45", "T01:45"), "is not after its start"),
    ],
)
def test_a_calendar_that_cannot_be_used_is_told(file: str, text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        read_scenario(day(tmp_path, file, text))
    assert words in str(caught.value)
    assert all(problem.file is not None for problem in caught.value.problems)
