"""`gameday power`: how many replications it takes to see a change."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.cli import add_jobs, add_kpis, add_seed, add_set, played_with, positive_share, show, whole_number

if TYPE_CHECKING:
    from gameday.study.power import Need


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A scenario and a change."""
    parser.add_argument("scenario", type=Path, help="scenario file")
    parser.add_argument("--detect", type=positive_share, default=0.1, metavar="SHARE", help="change to be seen (default 10%%)")
    add_set(parser, "the change that is planned")
    add_kpis(parser, "durations (default: those with a gate)")
    parser.add_argument(
        "--pilot",
        type=lambda text: whole_number(text, 4, 100_000),
        default=20,
        metavar="N",
        help="replications of the pilot (default 20)",
    )
    add_seed(parser)
    add_jobs(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Play the pilot, compute, print; it informs, so it exits with 0."""
    import json
    from dataclasses import asdict

    from gameday.regression.gate import TOLERANCE
    from gameday.scenario import read_scenario
    from gameday.study.kpis import chosen_kpis
    from gameday.study.playing import values_of
    from gameday.study.power import needed

    scenario = read_scenario(arguments.scenario)
    changed = read_scenario(arguments.scenario, arguments.overrides) if arguments.overrides else None
    kpis = chosen_kpis(scenario, arguments.kpis, str(arguments.scenario), only_durations=True)
    with played_with(arguments.jobs, arguments.pilot * (2 if changed else 1)) as (workers, step):
        before = values_of(scenario, arguments.seed, range(arguments.pilot), workers, step)
        after = values_of(changed, arguments.seed, range(arguments.pilot), workers, step) if changed else before[1:] + before[:1]
    found: dict[str, Need | None] = {
        kpi: needed(kpi, [one[kpi] for one in before], [one[kpi] for one in after], arguments.detect, tolerance=TOLERANCE)
        for kpi in kpis
    }
    if arguments.json:
        show(json.dumps({"schema": 1, "needed": {kpi: one and asdict(one) for kpi, one in found.items()}}, indent=2))
        return 0
    show(_text(found, arguments.detect, paired=changed is not None))
    return 0


def _text(found: dict[str, Need | None], detect: float, *, paired: bool) -> str:
    lines = []
    for kpi, need in found.items():
        if need is None:
            lines.append(
                f"{kpi}: fewer than three pairs of the pilot have a ratio (never, zero or not judged), so there is no answer"
            )
            continue
        check = "the change does not exceed its tolerance" if need.for_check is None else f"{need.for_check} replications"
        lines += [
            f"{kpi}: {need.replications} replications ({need.low} to {need.high}) show a change of {detect:.0%} four times in five",
            f"    spread of the pairs {need.spread:.3g} on the log scale, from {need.pairs} pairs"
            + (f"; {need.left_out} have no ratio" if need.left_out else ""),
            f"    drawn from the pilot, {need.replications} pairs show it in {need.measured_power:.0%} of {1000} samples",
            f"    gameday check needs: {check}",
        ]
    how = (
        "Pairs are the same days with and without the change."
        if paired
        else (
            "Pairs are different days, as if the change shuffled everything: an upper end. With --set, pairs are the same days with and without it."
        )
    )
    return "\n".join([*lines, "", how])
