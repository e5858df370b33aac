"""`gameday schema`: the JSON Schema of scenario files."""

from __future__ import annotations

import argparse

from gameday.cli import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""
    parser.epilog = "Point your editor at it: # yaml-language-server: $schema=gameday.schema.json"


def run(_: argparse.Namespace) -> int:
    """Print the schema."""
    from gameday.scenario.schema import schema_text

    show(schema_text(), end="")
    return 0
