"""The record of how well predictions of live days held, one line per day and quantity, and the table made from it.

The rule that surprises: only days of the scenario as it is now are in the table. A line carries the digest of its scenario, so days of
an older wording, or of a system that was measured anew, stay in the file and are counted as such.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median

from gameday.prediction import Row, Spread

NEVER = "never"


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity of one day."""

    scenario: str
    digest: str
    """Of the scenario as it was played."""
    version: str
    """Of the project."""
    day: int
    """Seed of the day: its number."""
    at: str
    verdict: str
    load: float
    """Load average of the machine when the day began."""
    kind: str
    """kpi or stage."""
    name: str
    n: int
    """Simulated days behind the prediction."""
    p5: float
    p50: float
    p95: float
    observed: float

    @property
    def row(self) -> Row:
        """As `gameday` compares it."""
        return Row(self.name, self.name, "", Spread(self.n, self.p5, self.p50, self.p95), self.observed)

    @property
    def key(self) -> tuple[str, str, str, int]:
        """The day it is of."""
        return self.scenario, self.digest, self.version, self.day


NUMBERS = {"load", "p5", "p50", "p95", "observed"}
WHOLE = {"day", "n"}
NAMES = [field.name for field in fields(Line)]


def read(path: Path) -> list[Line]:
    """What the file holds; nothing where there is none. A last line that was cut off by a crash is left out."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    return [_line(row) for row in csv.DictReader(io.StringIO(whole))]


def _line(row: Mapping[str, str]) -> Line:
    def value(name: str) -> str | int | float:
        if name in WHOLE:
            return int(row[name])
        if name in NUMBERS:
            return math.inf if row[name] == NEVER else float(row[name])
        return row[name]

    return Line(**{name: value(name) for name in NAMES})  # type: ignore[arg-type]


def append(path: Path, lines: Sequence[Line]) -> None:
    """Write the lines of one day at once, after whatever a crash has left of an earlier one is taken away."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        text = path.read_text(encoding="utf-8")
        if not text.endswith("\n"):
            path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    if not path.exists() or not path.stat().st_size:
        writer.writerow(NAMES)
    writer.writerows([_written(getattr(line, name)) for name in NAMES] for line in lines)
    with path.open("a", encoding="utf-8") as file:
        file.write(written.getvalue())
        file.flush()
        os.fsync(file.fileno())


def _written(value: object) -> object:
    if isinstance(value, float):
        return NEVER if math.isinf(value) else f"{value:.6g}"
    return value


def table(lines: Iterable[Line], digests: Mapping[str, str]) -> str:
    """Markdown: a row per scenario, then a row per quantity that can miss. `digests`: scenario to its present digest."""
    by_scenario: dict[str, list[Line]] = defaultdict(list)
    older: set[tuple[str, str, str, int]] = set()
    unclear: set[tuple[str, str, str, int]] = set()
    for line in lines:
        if line.digest != digests.get(line.scenario):
            older.add(line.key)
        elif line.verdict == "inconclusive":
            unclear.add(line.key)
        else:
            by_scenario[line.scenario].append(line)
    head = "| scenario | days | inside the predicted 90 % | of those that vary | median error | bias |\n|---|---|---|---|---|---|"
    summary, details = [head], ["| scenario | quantity | days | inside | median error | bias |\n|---|---|---|---|---|---|"]
    for scenario, found in sorted(by_scenario.items()):
        kpis = [line for line in found if line.kind == "kpi"]
        days = len({line.key for line in found})
        vary = [line for line in kpis if line.p5 < line.p95]
        summary.append(f"| {scenario} | {days} | {_share(kpis)} | {_share(vary)} | {_errors(vary)} |")
        names = dict.fromkeys((line.kind, line.name) for line in found)
        for kind, name in names:
            own = [line for line in found if (line.kind, line.name) == (kind, name)]
            if kind == "stage" or any(line.p5 < line.p95 or not line.row.inside for line in own):
                what = f"`{name}`" if kind == "kpi" else f"stage {name}"
                details.append(f"| {scenario} | {what} | {len(own)} | {_share(own)} | {_errors(own)} |")
    notes = [f"Left out: {len(older)} days of scenarios as they were, {len(unclear)} inconclusive days."]
    return "\n".join([*summary, "", *details, "", *notes])


def _share(lines: Sequence[Line]) -> str:
    return f"{sum(line.row.inside for line in lines) / len(lines):.0%} of {len(lines)}" if lines else "none"


def _errors(lines: Sequence[Line]) -> str:
    """Median of |observed - median| / median, and of the signed ratio, where both have a size."""
    errors = [error for line in lines if (error := line.row.error_ratio) is not None]
    return f"{median(map(abs, errors)):.0%} | {median(errors):+.0%}" if errors else "none | none"
