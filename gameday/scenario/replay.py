"""Reads the CSV files that loads replay and baseline rules learn from, so that a resolved scenario holds the counts and needs no other file.

A file is looked for beside the YAML file that names it. Counts stay as they are in the file; `mean` scales them.
"""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

from gameday.errors import BadInput
from gameday.scenario.files import text_of
from gameday.scenario.tree import Document
from gameday.scenario.validation import Checks

_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


def with_counts(document: Document) -> dict[str, Any]:
    """The document's data with every `replay` given its counts and every measured time its values. Raises BadInput naming file and row."""
    data, checks = document.data, Checks(document)
    classes = data.get("load", {}).get("classes", {}) if isinstance(data.get("load"), dict) else {}
    for name, request_class in classes.items() if isinstance(classes, dict) else ():
        rate = request_class.get("rate") if isinstance(request_class, dict) else None
        parts = rate if isinstance(rate, list) else [rate]
        for position, part in enumerate(parts):
            if isinstance(part, dict) and part.get("shape") == "replay" and part.get("counts") is None:
                steps: tuple[str | int, ...] = ("load", "classes", name, "rate")
                _fill(document, checks, steps + ((position,) if isinstance(rate, list) else ()), part)
    _histories(document, checks, data)
    _fill_times(document, checks)
    checks.raise_if_any()
    return data


def _fill_times(document: Document, checks: Checks) -> None:
    system = document.data.get("system")
    for section in ("services", "databases", "providers"):
        places = system.get(section) if isinstance(system, dict) else None
        for name, place in places.items() if isinstance(places, dict) else ():
            time = place.get("service_time") if isinstance(place, dict) else None
            if isinstance(time, dict) and time.get("family") == "empirical" and time.get("values") is None:
                _fill_time(document, checks, ("system", section, name, "service_time"), time)


def _fill_time(document: Document, checks: Checks, path: tuple[str | int, ...], time: dict[str, Any]) -> None:
    file, column, unit = time.get("file"), time.get("column", "value"), time.get("unit", "s")
    if not isinstance(file, str):
        checks.problem(path, "needs a 'file' of times, or the times themselves as 'values', in seconds")
        return
    if not isinstance(column, str) or unit not in _UNITS:
        return  # the model says so
    table = _table(document, checks, path, file)
    if table is None:
        return
    if not table or column not in table[0]:
        checks.problem((*path, "column"), f"is not a column of {file}", value=column, candidates=list(table[0]) if table else [])
        return
    times = _counts(checks, (*path, "file"), file, column, table, 0, "a time")
    if times is not None:
        time["values"] = [each * _UNITS[unit] for each in times]


def _histories(document: Document, checks: Checks, data: dict[str, Any]) -> None:
    """The past of the indicators that baseline rules look at."""
    monitoring = data.get("monitoring")
    rules = monitoring.get("rules") if isinstance(monitoring, dict) else None
    for name, rule in rules.items() if isinstance(rules, dict) else ():
        history = rule.get("history") if isinstance(rule, dict) else None
        if isinstance(history, dict) and history.get("values") is None and "file" in history:
            _fill(document, checks, ("monitoring", "rules", name, "history"), history, into="values")


def _fill(document: Document, checks: Checks, path: tuple[str | int, ...], part: dict[str, Any], *, into: str = "counts") -> None:
    file = part.get("file")
    if not isinstance(file, str):
        checks.problem(path, "needs a 'file' of counts, or the 'counts' themselves")
        return
    problems = len(checks.problems)
    column = part.get("column", "value")
    if not isinstance(column, str):
        checks.problem((*path, "column"), "must be text: the name of a column", value=column)
    limits = {"start_row": 0, "rows": 1, "average": 1}
    start, rows, average = (_whole_number(checks, (*path, key), part.get(key), least) for key, least in limits.items())
    if len(checks.problems) > problems:
        return
    table = _table(document, checks, path, file)
    if table is None:
        return
    if not table or column not in table[0]:
        checks.problem((*path, "column"), f"is not a column of {file}", value=column, candidates=list(table[0]) if table else [])
        return
    start = start or 0
    counts = _counts(checks, (*path, "file"), file, column, table[start : None if rows is None else start + rows], start)
    if counts is None:
        return
    if not any(counts):
        checks.problem((*path, "start_row"), f"leaves no counts of {file}, which has {len(table)} rows", value=start)
        return
    group = average or 1
    part[into] = [sum(counts[n : n + group]) / len(counts[n : n + group]) for n in range(0, len(counts), group)]


def _whole_number(checks: Checks, path: tuple[str | int, ...], value: object, least: int) -> int | None:
    """The number at the path, or None when there is none; the model checks it too, but only after the file was read."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        checks.problem(path, f"must be a whole number, {least} or more", value=value)
        return None
    return value


def _table(document: Document, checks: Checks, path: tuple[str | int, ...], file: str) -> list[dict[str, str | None]] | None:
    """The rows of the file; None, and a problem, when it cannot be read."""
    found = Path(document.position((*path, "file")).file).parent / file
    try:
        return list(csv.DictReader(io.StringIO(text_of(found))))
    except BadInput as bad:
        checks.problem((*path, "file"), f"cannot be read: {bad.problems[0].message}", value=file)
    except csv.Error as error:
        checks.problem((*path, "file"), f"is not a CSV file, {file}: {error}", value=file)
    return None


def _counts(
    checks: Checks,
    path: tuple[str | int, ...],
    file: str,
    column: str,
    rows: list[dict[str, str | None]],
    start: int,
    what: str = "a count",
) -> list[float] | None:
    """The numbers of the column; None, and a problem, at the first that is none."""
    counts = []
    for number, row in enumerate(rows, start=start + 2):
        read = row[column]
        try:
            count = float(read or "")
        except ValueError:
            checks.problem(path, f"{file} row {number} holds no number in column {column}", value=read or "")
            return None
        if not 0 <= count < math.inf:
            checks.problem(path, f"{file} row {number} holds {read}, and {what} is a number from 0", value=file)
            return None
        counts.append(count)
    return counts
