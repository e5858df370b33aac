"""`gameday validate`: every problem of every file at once."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from gameday.cli import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Files or folders."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="path", help="scenario files, or folders that hold them")
    parser.add_argument("--json", action="store_true", help="print the problems as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Check all files; problems go to standard output one per line, with a count at the end on standard error."""
    from dataclasses import asdict

    from gameday.scenario.collection import check_all

    checked = check_all(arguments.paths)
    problems = [problem for each in checked for problem in each.problems]
    if arguments.json:
        listed = [{"file": each.file, "kind": each.kind, "problems": [asdict(p) for p in each.problems]} for each in checked]
        show(json.dumps({"schema": 1, "files": listed, "problems": len(problems)}, indent=2, ensure_ascii=False))
    else:
        for problem in problems:
            show(str(problem))
        bad = sum(bool(each.problems) for each in checked)
        files = f"{len(checked)} file{'' if len(checked) == 1 else 's'}"
        count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'} in {bad} of {files}"
        print(count if problems else f"{files}, no problems", file=sys.stderr)
    return 2 if problems else 0
