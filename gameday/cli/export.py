"""`gameday export`: a scenario, or part of it, as a file of another program."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.cli import add_set, show

if TYPE_CHECKING:
    from gameday.alerting.files import Export
    from gameday.scenario.model import Scenario

TARGETS = {
    "prometheus": ("alert rules as a rules.yml", "gameday.alerting.files.prometheus", "rules_text"),
    "alertmanager": ("routing as an alertmanager.yml", "gameday.alerting.files.alertmanager", "alertmanager_text"),
}
"""What can be written: what it is, and the module and function that make an `Export` of a scenario."""

ON_A_TARGET = {
    "chaostoolkit": ("an experiment for `chaos run`", "experiments.exports", "chaostoolkit"),
    "locust": ("a command line that plays the load", "experiments.exports", "locust"),
}
"""The same for what is about a real system too: the function takes the scenario file, the target file and the overrides."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A target and a scenario."""
    known = TARGETS | ON_A_TARGET
    parser.add_argument("target", choices=known, help="; ".join(f"{name}: {what[0]}" for name, what in known.items()))
    parser.add_argument("scenario", type=Path, help="scenario file")
    add_set(parser)
    parser.add_argument(
        "--target",
        dest="target_file",
        default="lab",
        metavar="FILE",
        help="of chaostoolkit and locust: target file, or a lab's name",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where it goes (default: standard output)")


def run(arguments: argparse.Namespace) -> int:
    """Print or write the file; what it does not say goes to standard error."""
    from gameday.atomic_files import write_atomically
    from gameday.scenario import read_scenario

    if arguments.target in ON_A_TARGET:
        _, module, function = ON_A_TARGET[arguments.target]
        write = getattr(import_module(module), function)
        made = write(arguments.scenario, arguments.target_file, arguments.overrides)
    else:
        made = exported(arguments.target, read_scenario(arguments.scenario, arguments.overrides))
    if arguments.out is None:
        show(made.text, end="")
    else:
        write_atomically(arguments.out, made.text.encode())
        show(f"wrote {arguments.out}")
    for note in made.notes:
        print(f"note: {note}", file=sys.stderr)
    return 0


def exported(target: str, scenario: Scenario) -> Export:
    """The file of a target."""
    _, module, function = TARGETS[target]
    made: Export = getattr(import_module(module), function)(scenario)
    return made
