"""`gameday pareto`: which points of a study nothing beats."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gameday.cli import show

if TYPE_CHECKING:
    from gameday.study.answers import Answers
    from gameday.study.pictures import Picture


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A folder of a study; `gameday sensitivity` takes the same."""
    parser.add_argument("folder", type=Path, help="folder of a study, e.g. results/redundancy")
    parser.add_argument("--svg", type=Path, metavar="DIR", help="also write the pictures into a folder")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print it; it informs, so it exits with 0."""
    from gameday.study.looking import pareto_json, pareto_text
    from gameday.study.pictures import pareto_pictures

    return look(arguments, pareto_json, pareto_text, pareto_pictures)


def look(
    arguments: argparse.Namespace,
    as_json: Callable[[Answers], dict[str, Any]],
    as_text: Callable[[Answers], str],
    pictures: Callable[[Answers], Sequence[Picture]],
) -> int:
    """Print what a study's folder holds in one of the two forms, and write its pictures."""
    import json

    from gameday.study.looking import open_answers, write_pictures

    answers = open_answers(arguments.folder)
    show(json.dumps(as_json(answers), indent=2, ensure_ascii=False) if arguments.json else as_text(answers))
    if arguments.svg:
        for file in write_pictures(pictures(answers), arguments.svg):
            show(f"picture {file}")
    return 0
