"""`gameday live`: play a game day on a real system, and hold it against what the simulator predicted.

Ctrl-C heals at once and keeps the record; so does `gameday abort` from any terminal.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from gameday.cli import add_set, show, whole_number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A scenario and a target."""
    parser.add_argument("scenario", type=Path, help="scenario file")
    parser.add_argument(
        "--target", default="lab", metavar="FILE", help="target file, or the name of a lab that is up (default: lab)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="everything but the breaking: what would be touched, what is missing"
    )
    parser.add_argument(
        "--hands-on", action="store_true", help="people respond for real: show how, and compare what they bring about"
    )
    parser.add_argument(
        "--seed", type=_count, default=1, help="root of the arrivals' and the prediction's randomness (default 1)"
    )
    parser.add_argument(
        "--replications", type=_positive, metavar="N", help="simulated days behind the prediction (default: scenario)"
    )
    parser.add_argument(
        "--jobs", type=_positive, default=len(os.sched_getaffinity(0)), metavar="N", help="processes of the prediction"
    )
    parser.add_argument(
        "--alerts",
        choices=("auto", "own", "prometheus"),
        default="auto",
        help="who evaluates the alert rules: auto = Prometheus and Alertmanager where the target can start them, else the "
        "project's own machines (default: auto)",
    )
    add_set(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: results/<scenario>-<time>-s<seed>)")
    parser.add_argument("--force", action="store_true", help="with --out: write over an older run")
    parser.add_argument("--json", action="store_true", help="print scores.json on standard output instead of the scorecard")
    parser.add_argument("--no-report", action="store_true", help="scores and record only: no report.html, report.md")


def run(arguments: argparse.Namespace) -> int:
    """Predict, check, break, heal, score, compare."""
    from gameday.errors import MissingExtra
    from gameday.scenario import read_scenario
    from gameday.target import read_target

    scenario = read_scenario(arguments.scenario, arguments.overrides)
    target = read_target(arguments.target)
    live = import_module("experiments.live")
    missing = live.missing_extra()
    if missing:
        raise MissingExtra("gameday live", missing)
    request = live.Request(
        scenario=scenario,
        target=target,
        seed=arguments.seed,
        replications=arguments.replications or scenario.replications,
        jobs=arguments.jobs,
        out=arguments.out,
        arguments=sys.argv[1:],
        hands_on=arguments.hands_on,
        reports=not arguments.no_report,
        force=arguments.force,
        alerts=arguments.alerts,
    )
    if arguments.dry_run:
        return _dry_run(live.dry_run(request), as_json=arguments.json)
    finished = live.play_live(request, lambda line: print(line, file=sys.stderr, flush=True))
    if arguments.json:
        show(finished.folder.scores.read_text(encoding="utf-8"), end="")
    else:
        _show(finished, reports=request.reports)
    code: int = finished.exit_code
    return code


def _dry_run(checks: list[Any], *, as_json: bool) -> int:
    """Every check; 2 when one failed."""
    import json

    if as_json:
        show(json.dumps([{"check": one.name, "passed": one.passed, "seen": one.words} for one in checks], indent=2))
    else:
        for one in checks:
            show(f"{'ok  ' if one.passed else 'FAIL'}  {one.name}: {one.words}")
    failed = sum(not one.passed for one in checks)
    if failed:
        print(f"{failed} of {len(checks)} checks failed: a live day would not begin", file=sys.stderr)
    return 2 if failed else 0


def _show(finished: Any, *, reports: bool) -> None:
    from gameday.report.prediction import prediction_text
    from gameday.report.scorecard import scorecard

    show(scorecard(finished.scores, sys.stdout))
    show("\n" + prediction_text(finished.against))
    show(f"\nverdict     {finished.verdict.replace('_', ' ')}")
    for reason in finished.reasons:
        show(f"            {reason}")
    show(f"run folder  {finished.folder.path}")
    if reports:
        show(f"report      {finished.folder.report_html}")


def _count(text: str) -> int:
    return whole_number(text, 0, 2**63 - 1)


def _positive(text: str) -> int:
    return whole_number(text, 1, 1_000_000)
