"""`gameday check`: hold game days against their baselines; the gate of a CI pipeline.

Exit codes: 0 nothing got worse, 1 something did, 2 bad input, 3 a game day has no baseline.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.cli import add_jobs, played_with, seed, share, show

if TYPE_CHECKING:
    from gameday.regression.checking import Day
    from gameday.regression.evidence import Evidence


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Game days, and where their baselines are."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="path", help="scenario files, or folders that hold them")
    parser.add_argument(
        "--baseline",
        type=Path,
        default=Path("results/baselines"),
        metavar="DIR",
        help="folder of baselines (default: %(default)s)",
    )
    parser.add_argument("--update", action="store_true", help="show what changed since the baselines, and make them anew")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--quick",
        action="store_true",
        help="the first 10 replications of each (default; with --update: all that the scenario asks for)",
    )
    length.add_argument("--thorough", action="store_true", help="all replications of the baselines")
    parser.add_argument(
        "--tolerance", type=share, default=0.05, metavar="SHARE", help="change that is no regression (default 5%%)"
    )
    parser.add_argument("--seed", type=seed, help="other days than those of the baselines; with --update: the seed to keep")
    add_jobs(parser)
    parser.add_argument("--evidence", type=Path, default=Path("results"), metavar="DIR", help="where live runs are kept")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="also write test results")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="also append Markdown, e.g. to $GITHUB_STEP_SUMMARY")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Play, compare, print."""
    from gameday.regression.checking import QUICK, days, play_days

    most = None if arguments.thorough or (arguments.update and not arguments.quick) else QUICK
    found = days(arguments.paths, arguments.baseline, most=most, seed=arguments.seed, fresh=arguments.update)
    to_play = [day for day in found if day.baseline is not None or arguments.update]
    with played_with(arguments.jobs, sum(day.replications for day in to_play)) as (workers, step):
        play_days(to_play, workers, step)
    return _update(found, arguments.baseline) if arguments.update else _check(found, arguments)


def _check(found: list[Day], arguments: argparse.Namespace) -> int:
    import json

    from gameday.atomic_files import cannot, write_atomically
    from gameday.regression import output
    from gameday.regression.checking import check

    checked = check(found, arguments.tolerance)
    live = _evidence(found, arguments.evidence)
    if arguments.json:
        show(json.dumps(output.check_json(checked, live), indent=2, ensure_ascii=False, default=str))
    else:
        show(output.check_text(checked, live))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for line in output.workflow_commands(checked):
                show(line)
    if arguments.junit:
        write_atomically(arguments.junit, output.check_junit(checked))
    if arguments.summary:
        try:
            with arguments.summary.open("a", encoding="utf-8") as file:
                file.write(output.check_markdown(checked, live))
        except OSError as error:
            raise cannot("write", arguments.summary, error) from error
    return checked.exit_code


def _update(found: list[Day], folder: Path) -> int:
    from gameday.regression.baseline import baseline_file, write_baseline
    from gameday.regression.checking import new_baseline
    from gameday.regression.output import update_text

    made = [(day, new_baseline(day)) for day in found]
    for day, baseline in made:
        show(update_text(day.baseline, baseline))
    for day, baseline in made:
        if baseline != day.baseline:
            write_baseline(baseline_file(folder, day.scenario.name), baseline)
    show(f"\n{sum(new != day.baseline for day, new in made)} of {len(made)} baselines written to {folder}; review them like code")
    return 0


def _evidence(found: list[Day], folder: Path) -> list[Evidence]:
    from datetime import UTC, datetime

    from gameday.regression.evidence import evidence, live_runs

    runs = live_runs([folder])
    now = datetime.now(UTC)
    return [one for day in found if (one := evidence(day.scenario, runs, now)) is not None]
