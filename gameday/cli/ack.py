"""`gameday ack`: take a page of a live day that is going on."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from gameday.cli import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A person and a page."""
    parser.add_argument("person", help="who takes it, as the scenario's cast names them")
    parser.add_argument("--page", help="which page (default: the newest this person was called about)")
    parser.add_argument(
        "--run", type=Path, dest="run_folder", metavar="DIR", help="run folder (default: the newest live day in results)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Acknowledge."""
    taking_part = import_module("experiments.taking_part")
    body = {"person": arguments.person, "page": arguments.page}
    answer = taking_part.post(taking_part.receivers_of(arguments.run_folder), "ack", body)
    show(f"{arguments.person} has taken {answer['page']}")
    return 0
