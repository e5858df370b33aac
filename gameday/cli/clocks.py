"""`gameday clocks`: which notices are due by law, when, from the timestamps of an incident. Not legal advice."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from gameday.cli import show

if TYPE_CHECKING:
    from gameday.regimes import Anchors, Calendar, Status

ANCHORS = ("aware", "classified", "determined", "discovered", "notified", "initial_sent", "intermediate_sent", "paid")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The timestamps."""
    parser.add_argument(
        "--at", required=True, metavar="TIME", help="instant to look from, ISO with offset: 2026-01-06T07:00+01:00"
    )
    for anchor in ANCHORS:
        parser.add_argument(f"--{anchor.replace('_', '-')}", metavar="TIME", help=f"when: {anchor.replace('_', ' ')}")
    parser.add_argument(
        "--met", action="append", default=[], metavar="DUTY=TIME", help="a notice that was sent, e.g. gdpr.authority=..."
    )
    parser.add_argument("--timezone", default="UTC", metavar="ZONE", help="clock of the authority, IANA name (default UTC)")
    parser.add_argument(
        "--holiday", action="append", default=[], metavar="DATE", help="a day that is no working day, ISO; repeatable"
    )
    parser.add_argument("--no-weekend-relief", action="store_true", help="DORA Art. 5(5): banks, trading venues, NIS2 entities")
    parser.add_argument("--trust-service", action="store_true", help="NIS2: a trust service provider")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print every duty. 1 when one is late, else 0."""
    from gameday.clocks import DISCLAIMER
    from gameday.regimes import DUTIES, status

    now, anchors, days, met = _read(arguments)
    found = {name: status(duty, anchors, now, met.get(name), days) for name, duty in DUTIES.items()}
    if arguments.json:
        import json

        rows = [{"duty": name, "regime": DUTIES[name].regime, **_plain(one)} for name, one in found.items()]
        show(json.dumps({"schema": 1, "disclaimer": DISCLAIMER, "duties": rows}, indent=2))
    else:
        from gameday.report.terminal import Terminal, table

        rows_shown = [["duty", "state", "due", "left", "instrument"]]
        rows_shown += [[name, one.state, *_when(one, days), _instrument(name)] for name, one in found.items()]
        show("\n".join(table(Terminal.of(sys.stdout), rows_shown)))
        show(f"\n{DISCLAIMER}")
    return 1 if any(one.state == "late" for one in found.values()) else 0


def _instrument(name: str) -> str:
    from gameday.regimes import DUTIES

    duty = DUTIES[name]
    return duty.instrument + (f"; off: {duty.disabled}" if duty.disabled else "")


def _when(one: Status, days: Calendar) -> tuple[str, str]:
    from gameday.units import format_duration

    due = "" if one.due is None else f"{one.due.astimezone(days.timezone):%Y-%m-%d %H:%M %Z}"
    left = "" if one.margin_s is None else ("-" if one.margin_s < 0 else "") + format_duration(round(abs(one.margin_s)))
    return due, left


def _plain(one: Status) -> dict[str, Any]:
    return {**asdict(one), "due": None if one.due is None else one.due.isoformat()}


def _read(arguments: argparse.Namespace) -> tuple[datetime, Anchors, Calendar, dict[str, datetime]]:
    """Everything that was given. Raises BadInput with all that cannot be read."""
    from gameday.errors import BadInput, Problem, nearest
    from gameday.people import zone
    from gameday.regimes import DUTIES, Anchors, Calendar

    problems: list[Problem] = []

    def instant(option: str, text: str | None) -> datetime | None:
        try:
            at = None if text is None else datetime.fromisoformat(text)
        except ValueError:
            problems.append(Problem(None, None, None, option, text, "must be an ISO date and time, e.g. 2026-01-06T07:00+01:00"))
            return None
        if at is not None and at.tzinfo is None:
            problems.append(Problem(None, None, None, option, text, "needs an offset from UTC, e.g. 2026-01-06T07:00+01:00"))
            return None
        return at

    now = instant("--at", arguments.at)
    times = {each.name: instant(f"--{each.name}", getattr(arguments, each.name)) for each in fields(Anchors)}
    met: dict[str, datetime] = {}
    for given in arguments.met:
        name, _, text = given.partition("=")
        if name not in DUTIES:
            problems.append(Problem(None, None, None, "--met", name, "there is no such duty", nearest(name, DUTIES)))
        elif (at := instant("--met", text)) is not None:
            met[name] = at
    try:
        local = zone(arguments.timezone)
        holidays = [date.fromisoformat(text) for text in arguments.holiday]
    except ValueError as refusal:
        raise BadInput([*problems, Problem(None, None, None, "--timezone or --holiday", None, str(refusal))]) from None
    if problems or now is None:
        raise BadInput(problems)
    relief = not arguments.no_weekend_relief
    return now, Anchors(**times), Calendar(holidays, local, relief, arguments.trust_service), met
