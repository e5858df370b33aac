"""`gameday sensitivity`: what each factor of a study does: effects, interactions, indices."""

from __future__ import annotations

import argparse
from pathlib import Path

from gameday.cli import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A folder of a study."""
    parser.add_argument("folder", type=Path, help="folder of a study, e.g. results/redundancy")
    parser.add_argument("--svg", type=Path, metavar="DIR", help="also write the pictures into a folder")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print it; it informs, so it exits with 0."""
    import json

    from gameday.study.looking import open_answers, sensitivity_json, sensitivity_text, write_pictures
    from gameday.study.pictures import sensitivity_pictures

    answers = open_answers(arguments.folder)
    show(json.dumps(sensitivity_json(answers), indent=2, ensure_ascii=False) if arguments.json else sensitivity_text(answers))
    if arguments.svg:
        for file in write_pictures(sensitivity_pictures(answers), arguments.svg):
            show(f"picture {file}")
    return 0
