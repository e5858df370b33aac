"""`gameday heal`: replay the rollback plan of a live day from disk, after a crash of everything."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from gameday.cli import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A run, or a folder with a rollback plan."""
    parser.add_argument(
        "run_folder", type=Path, metavar="run", help="run folder of a live day, or a folder that holds rollbacks.json"
    )


def run(arguments: argparse.Namespace) -> int:
    """Take away what is, or may be, in place; 1 when something could not be."""
    from gameday.errors import BadInput, Problem

    folder = arguments.run_folder
    places = [folder / "live" / "rollbacks.json", folder / "rollbacks.json"]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise BadInput([Problem(str(folder), None, None, "", None, "holds no rollback plan (rollbacks.json)")])
    healed, failures = import_module("experiments.healing").Healer(found).heal()
    for undo in healed:
        show(f"healed   {undo.fault} {undo.pinned or undo.selector}")
    for failure in failures:
        print(f"not healed: {failure}", file=sys.stderr)
    if not healed and not failures:
        show("nothing was left in place")
    return 1 if failures else 0
