"""`gameday timeline`: read the record of a run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.cli import folded, show, whole_number

if TYPE_CHECKING:
    from gameday.runfolder import RunFolder
    from gameday.timeline import Event, Timeline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A run and filters."""
    parser.add_argument("run_folder", type=Path, metavar="run", help="run folder")
    parser.add_argument(
        "--kind", action="append", default=[], metavar="PATTERN", help="only these kinds, e.g. 'page.*' (repeatable)"
    )
    parser.add_argument("--subject", action="append", default=[], metavar="PATTERN", help="only these subjects, e.g. 'service/*'")
    parser.add_argument(
        "--replication", type=_replication, default=0, metavar="N", help="which replication (0, or one of the worst)"
    )
    parser.add_argument("--json", action="store_true", help="print events as JSON Lines")


def run(arguments: argparse.Namespace) -> int:
    """Print one event a line: time, kind, subject, data."""
    from fnmatch import fnmatchcase

    from gameday.runfolder import RunFolder
    from gameday.timeline_files import read_timeline
    from gameday.units import format_duration

    folder = RunFolder.open(arguments.run_folder)
    _check(folder, arguments.replication)
    timeline = read_timeline(folder.timeline_of(arguments.replication))
    _check_kinds(timeline, arguments.kind)
    of_kind = timeline.of(*arguments.kind) if arguments.kind else timeline
    patterns = arguments.subject or ["*"]
    found = [event for event in of_kind if any(fnmatchcase(event.subject, pattern) for pattern in patterns)]
    if not found:
        _say_what_there_is(timeline, of_kind, arguments.kind, arguments.subject)
    for event in found:
        if arguments.json:
            show(event.line())
        else:
            data = "  ".join(f"{key}={_shown(value)}" for key, value in event.data.items())
            show(folded(f"{format_duration(round(event.t, 1)):>10}  {event.kind:<22} {event.subject:<28} {data}".rstrip()))
    return 0


def _say_what_there_is(timeline: Timeline, of_kind: Sequence[Event], kinds: list[str], subjects: list[str]) -> None:
    """On standard error, so that what reads the events still reads none."""
    wanted = " or ".join(kinds)
    if not of_kind:
        there = f"kinds in this day: {', '.join(sorted({event.kind for event in timeline})) or 'none'}"
    else:
        wanted = f"{wanted} about {' or '.join(subjects)}".strip()
        there = f"there are {len(of_kind)} of other subjects: {', '.join(sorted({event.subject for event in of_kind}))}"
    print(folded(f"no event matches {wanted}; {there}"), file=sys.stderr)


def _check(folder: RunFolder, replication: int) -> None:
    """A replication that was not kept is no error of the file system."""
    from gameday.errors import BadInput, Problem

    kept = [0, *folder.replications_kept()]
    if replication not in kept:
        message = f"was not kept; there are {', '.join(map(str, kept))}"
        raise BadInput([Problem(str(folder.path), None, None, "--replication", str(replication), message)])


def _check_kinds(timeline: Timeline, patterns: list[str]) -> None:
    """A kind that does not exist would otherwise look like a day on which nothing happened."""
    from fnmatch import fnmatchcase

    from gameday.errors import BadInput, Problem, nearest
    from gameday.timeline import KINDS

    known = {*KINDS, *(event.kind for event in timeline)}
    wrong = [pattern for pattern in patterns if not any(fnmatchcase(kind, pattern) for kind in known)]
    if wrong:
        message = "fits no kind of event"
        raise BadInput(
            [Problem(None, None, None, "--kind", pattern, message, nearest(pattern, sorted(known))) for pattern in wrong]
        )


def _replication(text: str) -> int:
    return whole_number(text, 0, 999_999)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(each)}" for key, each in value.items()) + "}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ",".join(_shown(each) for each in value)
    return str(value)
