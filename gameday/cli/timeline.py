"""`gameday timeline`: read the record of a run."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A run and filters."""
    parser.add_argument("run_folder", type=Path, metavar="run", help="run folder")
    parser.add_argument("--kind", action="append", default=[], metavar="PATTERN", help="only these kinds, e.g. 'page.*' (repeatable)")
    parser.add_argument("--subject", action="append", default=[], metavar="PATTERN", help="only these subjects, e.g. 'service/*'")
    parser.add_argument("--replication", type=int, default=0, metavar="N", help="which replication (0, or one of the worst)")
    parser.add_argument("--json", action="store_true", help="print events as JSON Lines")


def run(arguments: argparse.Namespace) -> int:
    """Print one event a line: time, kind, subject, data."""
    from fnmatch import fnmatchcase

    from gameday.runfolder import RunFolder
    from gameday.timeline_files import read_timeline
    from gameday.units import format_duration

    folder = RunFolder.open(arguments.run_folder)
    timeline = read_timeline(folder.timeline_of(arguments.replication))
    for event in timeline.of(*arguments.kind) if arguments.kind else timeline:
        if arguments.subject and not any(fnmatchcase(event.subject, pattern) for pattern in arguments.subject):
            continue
        if arguments.json:
            print(event.line())
        else:
            data = "  ".join(f"{key}={_shown(value)}" for key, value in event.data.items())
            print(f"{format_duration(event.t):>10}  {event.kind:<22} {event.subject:<28} {data}".rstrip())
    return 0


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ",".join(_shown(each) for each in value)
    return str(value)
