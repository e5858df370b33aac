"""`gameday practices`: does a practice make a difference? The same days with and without it, on the same seeds.

Ctrl-C shows the practices that were finished; the exit code is 130.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from gameday.cli import show, whole_number

if TYPE_CHECKING:
    from gameday.practices import Entry, Measured


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which practices, and how often they are played."""
    parser.add_argument(
        "practice", nargs="?", help="number (2.7), name, or a file of your own (default: all that are registered)"
    )
    parser.add_argument("--replications", type=_days, metavar="N", help="days of each side (default: as the practice says)")
    parser.add_argument(
        "--jobs",
        type=_positive,
        default=1,
        metavar="N",
        help="processes (default 1: starting one costs as much as playing a dozen short days)",
    )
    parser.add_argument("--list", action="store_true", help="show what is registered and play nothing")
    parser.add_argument("--json", action="store_true", help="print values and verdicts as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print. 0 when every difference emerges, 1 when one does not, 3 when one is unclear."""
    import json

    from gameday.practices import registered
    from gameday.practices.text import practices_json, practices_list, practices_text

    entries = registered(arguments.practice)
    if arguments.list:
        shown = [
            {"practice": e.practice.practice, "name": e.name, "kpi": e.practice.kpi, "title": e.practice.title} for e in entries
        ]
        listed = json.dumps({"schema": 1, "practices": shown}, indent=2, ensure_ascii=False)
        show(listed if arguments.json else practices_list(entries, sys.stdout))
        return 0
    found: list[Measured] = []
    interrupted = False
    try:
        _measure(entries, arguments, found)
    except KeyboardInterrupt:
        interrupted = True
    if found:
        text = json.dumps(practices_json(found), indent=2, ensure_ascii=False)
        show(text if arguments.json else practices_text(found, sys.stdout))
    if interrupted:
        print(f"interrupted: {len(found)} of {len(entries)} practices finished", file=sys.stderr)
        return 130
    verdicts = {one.verdict for one in found}
    return 1 if "does not" in verdicts else 3 if "unclear" in verdicts else 0


def _measure(entries: list[Entry], arguments: argparse.Namespace, found: list[Measured]) -> None:
    from gameday.practices import measure
    from gameday.progress import Progress

    days = sum(2 * (arguments.replications or entry.practice.replications) for entry in entries)
    progress = Progress(sys.stderr, days, "days")
    try:
        for entry in entries:
            found.append(measure(entry, arguments.replications, arguments.jobs, progress.step))  # noqa: PERF401 - kept one by one
    finally:
        progress.close()


def _days(text: str) -> int:
    return whole_number(text, 2, 10_000)


def _positive(text: str) -> int:
    return whole_number(text, 1, 1_000_000)
