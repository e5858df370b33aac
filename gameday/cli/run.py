"""`gameday run`: simulate a game day, score it, write the run folder.

Ctrl-C keeps every replication that was finished: the folder is complete, says that it was interrupted, and the exit code is 130.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gameday.cli import add_jobs, add_set, duration, show, whole_number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A scenario and how to play it."""
    parser.add_argument("scenario", type=Path, help="scenario file")
    parser.add_argument("--seed", type=_count, default=1, help="root of all randomness (default 1)")
    parser.add_argument("--replications", type=_positive, metavar="N", help="days to play (default: as the scenario says)")
    add_jobs(parser)
    add_set(parser)
    parser.add_argument(
        "--within",
        type=duration,
        metavar="TIME",
        help="begin no replication after this time, e.g. 90s; what was played is judged",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--exact", action="store_true", help="play every second")
    how.add_argument(
        "--quiet-stretches",
        action="store_true",
        help="where nothing happens, draw seconds that were played before (default: where it pays, in several heavy days)",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: results/<scenario>-<time>-s<seed>)")
    parser.add_argument("--force", action="store_true", help="with --out: write over an older run")
    parser.add_argument("--json", action="store_true", help="print scores.json on standard output instead of the scorecard")
    parser.add_argument("--no-report", action="store_true", help="scores and record only: no report.html, report.md")


def run(arguments: argparse.Namespace) -> int:
    """Play, score, write, print."""
    from gameday.game import Request, jumps_by_default, play_game_day
    from gameday.progress import Progress
    from gameday.scenario import read_scenario

    scenario = read_scenario(arguments.scenario, arguments.overrides)
    replications = arguments.replications or scenario.replications
    request = Request(
        scenario=scenario,
        seed=arguments.seed,
        replications=replications,
        jobs=arguments.jobs,
        out=arguments.out,
        arguments=sys.argv[1:],
        within_s=arguments.within,
        reports=not arguments.no_report,
        force=arguments.force,
        quiet=arguments.quiet_stretches or (not arguments.exact and jumps_by_default(scenario, replications)),
    )
    finished = play_game_day(request, Progress(sys.stderr, request.replications, "replications", request.within_s))
    scores = finished.scores
    if arguments.json:
        show(finished.folder.scores.read_text(encoding="utf-8"), end="")
    else:
        from gameday.report.scorecard import scorecard

        show(scorecard(scores, sys.stdout))
        if not finished.interrupted and scores["replications"] < request.replications:
            show(
                f"\nin the time given, {scores['replications']} of {request.replications} replications were played; intervals say how"
            )
            show("much they tell, more replications (without --within) make them narrower")
        if finished.jumped is not None:
            show(
                f"\nquiet stretches: {finished.jumped:.0%} of the time was drawn from seconds already played (--exact plays it all)"
            )
        show(f"\nrun folder  {finished.folder.path}")
        if finished.reports:
            show(f"report      {finished.folder.report_html}")
    if finished.interrupted:
        kept = f"{scores['replications']} of {request.replications} replications kept in {finished.folder.path}"
        missing = "" if finished.reports or not request.reports else f"; for the reports: gameday report {finished.folder.path}"
        print(f"interrupted: {kept}{missing}", file=sys.stderr)
        return 130
    return finished.exit_code


def _count(text: str) -> int:
    return whole_number(text, 0, 2**63 - 1)


def _positive(text: str) -> int:
    return whole_number(text, 1, 1_000_000)
