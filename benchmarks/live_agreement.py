"""How well predictions of live days hold: plays days repeatedly on a target and prints one row per KPI.

    python -m benchmarks.live_agreement --target default --times 10 scenarios/live-primary-killed.yaml

Coverage is the share of days inside the predicted 90 %, error the median of |observed - median| / median, bias the median of the signed
ratio. The days lie in `results/agreement/`; days that are there already are counted and not played again, so it can be interrupted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median

from gameday.prediction import Row, against
from gameday.report.model import ReportData
from gameday.runfolder import RunFolder

FOLDER = Path("results/agreement")


def play(scenario: Path, target: str, number: int, replications: int) -> Path:
    """The run folder of one day."""
    folder = FOLDER / f"{scenario.stem}-{number}"
    if not (folder / "verdict.json").exists():
        command = [sys.executable, "-m", "gameday", "live", str(scenario), "--target", target, "--seed", str(number)]
        options = ["--replications", str(replications), "--out", str(folder), "--no-report", "--force"]
        subprocess.run([*command, *options], check=False)
    return folder


def rows_of(folder: Path) -> list[Row]:
    """KPIs and stages of a day; none of one that broke off."""
    if not (folder / "verdict.json").exists():
        return []
    data = ReportData.load(RunFolder(folder))
    assert data.prediction is not None, f"{folder} has no prediction"
    found = against(data.prediction, data.scores, data.timeline)
    return [*found.kpis, *found.stages]


def main() -> None:
    """Play, then print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="+", type=Path)
    parser.add_argument("--target", default="default")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--replications", type=int, default=40)
    arguments = parser.parse_args()
    print("| scenario | KPI or stage | days | inside | median error | bias |\n|---|---|---|---|---|---|")
    for scenario in arguments.scenarios:
        by_name: dict[str, list[Row]] = defaultdict(list)
        for number in range(1, arguments.times + 1):
            for row in rows_of(play(scenario, arguments.target, number, arguments.replications)):
                by_name[row.name].append(row)
        for name, rows in by_name.items():
            errors = [row.error_ratio for row in rows if row.error_ratio is not None]
            error = f"{median(abs(one) for one in errors):.0%}" if errors else "none"
            bias = f"{median(errors):+.0%}" if errors else "none"
            inside = sum(row.inside for row in rows) / len(rows)
            print(f"| {scenario.stem} | `{name}` | {len(rows)} | {inside:.0%} | {error} | {bias} |", flush=True)


if __name__ == "__main__":
    main()
