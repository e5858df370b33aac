"""Reads the CSV files that loads replay, so that a resolved scenario holds the counts and needs no other file.

A file is looked for beside the YAML file that names it. Counts stay as they are in the file; `mean` scales them.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from gameday.scenario.files import text_of
from gameday.scenario.tree import Document
from gameday.scenario.validation import Checks
from gameday.errors import BadInput


def with_counts(document: Document) -> dict[str, Any]:
    """The document's data with every `replay` given its counts. Raises BadInput naming file, row and column."""
    data, checks = document.data, Checks(document)
    classes = data.get("load", {}).get("classes", {}) if isinstance(data.get("load"), dict) else {}
    for name, request_class in classes.items() if isinstance(classes, dict) else ():
        rate = request_class.get("rate") if isinstance(request_class, dict) else None
        parts = rate if isinstance(rate, list) else [rate]
        for position, part in enumerate(parts):
            if isinstance(part, dict) and part.get("shape") == "replay" and part.get("counts") is None:
                steps: tuple[str | int, ...] = ("load", "classes", name, "rate")
                _fill(document, checks, steps + ((position,) if isinstance(rate, list) else ()), part)
    checks.raise_if_any()
    return data


def _fill(document: Document, checks: Checks, path: tuple[str | int, ...], part: dict[str, Any]) -> None:
    file = part.get("file")
    if not isinstance(file, str):
        checks.problem(path, "needs a 'file' of counts, or the 'counts' themselves")
        return
    found = Path(document.position((*path, "file")).file).parent / file
    try:
        text = text_of(found)
    except BadInput as bad:
        checks.problem((*path, "file"), f"cannot be read: {bad.problems[0].message}", value=file)
        return
    column = part.get("column", "value")
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows or column not in rows[0]:
        candidates = list(rows[0]) if rows else []
        checks.problem((*path, "column"), f"is not a column of {file}", value=column, candidates=candidates)
        return
    start = part.get("start_row", 0)
    end = None if part.get("rows") is None else start + part["rows"]
    counts = []
    for number, row in enumerate(rows[start:end], start=start):
        try:
            counts.append(float(row[column]))
        except (TypeError, ValueError):
            checks.problem((*path, "file"), f"{file} row {number + 2} holds no number in column {column}", value=row[column])
            return
    if not counts or not any(counts):
        checks.problem((*path, "start_row"), f"leaves no counts of {file}, which has {len(rows)} rows", value=start)
        return
    group = part.get("average", 1)
    if isinstance(group, int) and group > 1:
        counts = [sum(counts[n : n + group]) / len(counts[n : n + group]) for n in range(0, len(counts), group)]
    part["counts"] = counts
