"""`gameday report`: rebuild the reports of a run from its record."""

from __future__ import annotations

import argparse
from pathlib import Path

from gameday.cli import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A run."""
    parser.add_argument("run_folder", type=Path, metavar="run", help="run folder")


def run(arguments: argparse.Namespace) -> int:
    """Write report.html, report.md and junit.xml again."""
    from gameday.report import write_reports
    from gameday.runfolder import RunFolder

    folder = RunFolder.open(arguments.run_folder)
    for path in write_reports(folder):
        show(f"wrote {path}")
    return 0
