"""`gameday sensitivity`: what each factor of a study does: effects, interactions, indices."""

from __future__ import annotations

import argparse

from gameday.cli import pareto


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A folder of a study."""
    pareto.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print it; it informs, so it exits with 0."""
    from gameday.study.looking import sensitivity_json, sensitivity_text
    from gameday.study.pictures import sensitivity_pictures

    return pareto.look(arguments, sensitivity_json, sensitivity_text, sensitivity_pictures)
