"""`gameday describe`: what is in a scenario."""

from __future__ import annotations

import argparse
from pathlib import Path

from gameday.cli import add_set, columns, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A scenario."""
    parser.add_argument("scenario", type=Path, help="scenario file")
    add_set(parser)
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="where the system graph goes (default: <name>.svg; '-' = none)"
    )
    parser.add_argument("--json", action="store_true", help="print the description as JSON; no picture")


def run(arguments: argparse.Namespace) -> int:
    """Print the description and write the picture of the system."""
    import json

    from gameday.describe import as_json, as_text, describe
    from gameday.describe.text import WIDTH
    from gameday.scenario import read_scenario

    scenario = read_scenario(arguments.scenario, arguments.overrides)
    description = describe(scenario)
    if arguments.json:
        show(json.dumps(as_json(description), indent=2, ensure_ascii=False))
        return 0
    show(as_text(description, min(WIDTH, columns(WIDTH))))
    if str(arguments.picture) != "-":
        from gameday.report.plots.graph import write_graph

        picture = arguments.picture or Path(f"{scenario.name}.svg")
        write_graph(description, picture)
        show(f"system graph: {picture}")
    return 0
