"""`gameday abort`: the safety lever. Every running day heals at once, and no new one starts until `gameday rearm`."""

from __future__ import annotations

import argparse
from importlib import import_module

from gameday.cli import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A reason, if there is time for one."""
    parser.add_argument("--why", default="aborted by hand", help="the reason, for the record")


def run(arguments: argparse.Namespace) -> int:
    """Engage the lever."""
    lever = import_module("experiments.safety.lever").Lever.of_user()
    lever.engage(arguments.why)
    show(f"aborted: running days heal now, new ones are refused ({lever.file})")
    show('when it is safe again: gameday rearm --why "..."')
    return 0
