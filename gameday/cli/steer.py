"""`gameday steer`: act on the system of a live day that is going on, or say yes or no to what waits for a word."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from gameday.cli import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A person, an action and what it is done to."""
    parser.add_argument("person", help="who does it, as the scenario's cast names them")
    parser.add_argument(
        "action", help="approve, reject, failover, promote, drain, undrain, disable_feature, enable_feature; others say why not"
    )
    parser.add_argument(
        "target",
        nargs="?",
        default="",
        help="a region (approve, reject: only that one's; failover, drain, undrain), a database (promote), or 'catalog -> recommendations'",
    )
    parser.add_argument(
        "--run", type=Path, dest="run_folder", metavar="DIR", help="run folder (default: the newest live day in results)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Act."""
    taking_part = import_module("experiments.taking_part")
    body = {"person": arguments.person, "action": arguments.action, "target": arguments.target}
    answer = taking_part.post(taking_part.receivers_of(arguments.run_folder), "steer", body)
    show(answer["done"])
    return 0
