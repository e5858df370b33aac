"""`gameday rearm`: let live days run again after `gameday abort`, with a reason on the record."""

from __future__ import annotations

import argparse
from importlib import import_module

from gameday.cli import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A reason."""
    parser.add_argument("--why", required=True, help="why it is safe again, for the record")


def run(arguments: argparse.Namespace) -> int:
    """Release the lever."""
    lever = import_module("experiments.safety.lever").Lever.of_user()
    engaged = lever.engaged()
    lever.release(arguments.why)
    show("live days may run" if engaged is None else f"live days may run again; they were stopped because: {engaged}")
    return 0
