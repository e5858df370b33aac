"""Reads a finished or interrupted study again: the Pareto front and the sensitivities, for the terminal and as JSON."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gameday.atomic_files import cannot, write_atomically
from gameday.errors import GamedayError
from gameday.report.terminal import Terminal, table
from gameday.study.answers import Answers
from gameday.study.effects import Effects
from gameday.study.model import Study
from gameday.study.pictures import Picture
from gameday.study.report import rows_of, study_json
from gameday.study.store import Store


def open_answers(folder: Path) -> Answers:
    """The answers in a study's folder. GamedayError when there are none."""
    store = Store.open(folder)
    if not store.rows:
        raise GamedayError(f"{folder} holds no finished replication; gameday study --resume goes on with it")
    return Answers.of(Study.model_validate(store.identity["file"]), store)


def pareto_text(answers: Answers) -> str:
    """The points that nothing beats, and how many are beaten."""
    screen = Terminal.of(sys.stdout)
    front = answers.on_front
    heads, rows = rows_of(answers, front)
    lines = [screen.bold(f"nothing beats these {len(front)} of {len(answers.points)} points, beyond doubt"), ""]
    return "\n".join([*lines, *table(screen, [heads[:-1], *(row[:-1] for row in rows)])])


def pareto_json(answers: Answers) -> dict[str, Any]:
    """The front as plain values."""
    found = study_json(answers)
    return {**found, "points": [one for one in found["points"] if one["beaten_by"] is None]}


def sensitivity_text(answers: Answers) -> str:
    """How far each factor moves each response, the pairs that interact, and Sobol indices where the design gives them."""
    screen = Terminal.of(sys.stdout)
    lines: list[str] = []
    for response in answers.responses:
        if response.is_of_the_point:
            continue
        effects = Effects(answers, response)
        lines.append(screen.bold(f"{response.name}, {effects.days} common days"))
        if not effects.usable:
            lines += ["  at some point it never happened or was not judged, so means over points say nothing", ""]
            continue
        lines += table(
            screen,
            [["  factor", "from", "to", "difference of means (95 %)"]]
            + [
                [f"  {one.factor}", one.at[0], one.at[1], f"{one.span:.4g} ({one.low:.4g} to {one.high:.4g})"]
                for one in effects.tornado()
            ],
        )
        for pair in effects.interactions():
            said = f"departs from the sum of both by up to {pair.size:.4g} ({pair.low:.4g} to {pair.high:.4g})"
            lines.append(f"  {pair.factors[0]} with {pair.factors[1]}: {said}")
        for index in effects.sobol() if answers.study.design.kind == "sobol" else ():
            said = f"first order {index.first:.2f} +- {index.first_half:.2f}, total {index.total:.2f} +- {index.total_half:.2f}"
            lines.append(f"  {index.factor}: {said}")
        lines.append("")
    return "\n".join(lines).rstrip()


def sensitivity_json(answers: Answers) -> dict[str, Any]:
    """The same as plain values."""
    found = {}
    for response in answers.responses:
        effects = Effects(answers, response)
        if response.is_of_the_point or not effects.usable:
            continue
        found[response.name] = {
            "days": effects.days,
            "levels": [asdict(one) for one in effects.levels()],
            "tornado": [asdict(one) for one in effects.tornado()],
            "interactions": [
                {"factors": one.factors, "size": one.size, "low": one.low, "high": one.high} for one in effects.interactions()
            ],
            "sobol": [asdict(one) for one in effects.sobol()] if answers.study.design.kind == "sobol" else [],
        }
    return {"schema": 1, "study": answers.study.name, "responses": found}


def write_pictures(pictures: Sequence[Picture], folder: Path) -> list[Path]:
    """Each picture as an SVG file of its own; returns the paths."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot("create", folder, error) from error
    found = []
    for picture in pictures:
        path = folder / (re.sub(r"[^a-z0-9]+", "-", picture.title.lower()).strip("-") + ".svg")
        write_atomically(path, b'<?xml version="1.0" encoding="utf-8"?>\n' + picture.svg.encode())
        found.append(path)
    return found
