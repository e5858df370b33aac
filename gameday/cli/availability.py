"""`gameday availability`: how much of the long run each service and database is down, from what fails by itself in the scenario."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gameday.cli import add_seed, add_set, show, whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

YEAR_S = 365.25 * 86400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A scenario with background failures."""
    parser.add_argument("scenario", type=Path, help="scenario file with schedule.background")
    add_set(parser)
    parser.add_argument(
        "--need",
        dest="needs",
        action="append",
        type=_need,
        default=[],
        metavar="NAME=K",
        help="units that have to work, e.g. service/checkout=2 (default 1; a database is up only while it can take writes)",
    )
    parser.add_argument(
        "--cycles",
        type=lambda text: whole_number(text, 100, 10_000_000),
        default=20_000,
        metavar="N",
        help="times that something breaks and everything works again (default 20000)",
    )
    add_seed(parser)
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Simulate, print; it informs, so it exits with 0."""
    import json

    from gameday.scenario import read_scenario

    scenario = read_scenario(arguments.scenario, arguments.overrides)
    model, longrun = import_module("sim.components"), import_module("sim.longrun")
    components = model.components_of(scenario, str(arguments.scenario))
    things = model.things_of(scenario, components, dict(arguments.needs), str(arguments.scenario))
    found = longrun.unavailabilities(components, things, arguments.seed, arguments.cycles)
    if arguments.json:
        show(json.dumps({"schema": 1, "components": len(components), "things": [_json(one) for one in found]}, indent=2))
    else:
        show(_text(found, len(components), scenario.name))
    return 0


def _json(one: Any) -> dict[str, Any]:
    return {
        "name": one.thing.name,
        "units": len(one.thing.units),
        "needs": one.thing.needs,
        "also": [{"name": part.name, "units": len(part.units), "needs": part.needs} for part in one.thing.parts[1:]],
        "unavailability": one.value,
        "low": one.low,
        "high": one.high,
        "exact": one.exact,
        "how": one.how,
        "outages": one.outages,
    }


def _text(found: Sequence[Any], components: int, name: str) -> str:
    import sys

    from gameday.report.terminal import Terminal, table

    screen = Terminal.of(sys.stdout)
    rows = [["", "needs", "unavailability (95 %)", "down a year", "outages seen", "exact"], *map(_row, found)]
    note = (
        f"{components} components fail and are repaired independently, without end. A thing is up while enough of its units are: the time that a "
        "failover takes, load, and what it calls are not in these figures."
    )
    return "\n".join([screen.bold(f"Long-run availability of {name}"), "", *table(screen, rows), "", *screen.wrapped(note)])


def _row(one: Any) -> list[str]:
    seen = {"cycles": str(one.outages), "biased": f"{one.outages} made frequent", "never": "cannot be"}
    return [
        one.thing.name,
        ", ".join(
            f"{part.needs} of {len(part.units)}" + (" voters" if number else "") for number, part in enumerate(one.thing.parts)
        ),
        f"{one.value:.3g} ({one.low:.3g} to {one.high:.3g})",
        _a_year(one.value),
        seen[one.how],
        "-" if one.exact is None else f"{one.exact:.3g}",
    ]


def _a_year(share: float) -> str:
    seconds = share * YEAR_S
    for unit, name in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.3g} s"


def _need(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if "/" not in name:
        raise argparse.ArgumentTypeError(f"must be NAME=K, e.g. service/checkout=2, not '{text[:60]}'")
    return name, whole_number(count, 1, 1_000_000)
