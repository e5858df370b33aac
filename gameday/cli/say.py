"""`gameday say`: publish a message of a live day that is going on, to an audience of the scenario."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from gameday.cli import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words and for whom they are."""
    parser.add_argument("text", help="the message")
    parser.add_argument("--to", dest="audience", default="internal", help="audience of the scenario (default: internal)")
    parser.add_argument("--by", dest="person", default="somebody", help="who says it, as the scenario's cast names them")
    parser.add_argument(
        "--phase", default="update", help="what it speaks about: investigating, identified, monitoring, resolved, update"
    )
    parser.add_argument(
        "--run", type=Path, dest="run_folder", metavar="DIR", help="run folder (default: the newest live day in results)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Publish."""
    taking_part = import_module("experiments.taking_part")
    body = {"text": arguments.text, "audience": arguments.audience, "person": arguments.person, "phase": arguments.phase}
    taking_part.post(taking_part.receivers_of(arguments.run_folder), "say", body)
    show(f"published to {arguments.audience}")
    return 0
