"""How often `gameday check` cries wolf and what it catches: `python -m benchmarks.check_power`.

A day has a baseline of ten replications. It is checked a hundred times against reruns with other seeds, as after a change of code that
reshuffles all randomness, and against planted regressions of 5, 10 and 25 % of one KPI, on the same seeds and on others. The rule that
surprises: every check is a row of benchmarks/data/check_power.csv as soon as it is done, so an interrupted benchmark goes on where it was; rows
of other code are played again.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gameday.fingerprint import code_digest
from gameday.regression.checking import Day, check, new_baseline, play_days
from gameday.replication import Workers
from gameday.scenario import read_scenario

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "benchmarks" / "data" / "check_power.csv"
COLUMNS = ("code", "day", "change", "seeds", "number", "failed", "findings")
REPLICATIONS = 10
SHARES = (0.05, 0.10, 0.25)


@dataclass(frozen=True, slots=True)
class Planted:
    """A day, and a setting that delays one of its KPIs by as much as is wanted."""

    file: Path
    kpi: str
    setting: str
    """With `{}` for its seconds."""
    seconds: float
    """As it is before."""
    typical_s: float
    """Median of the KPI, to which the shares refer; printed anew by each run."""

    def day(self, share: float, seed: int) -> Day:
        """The day with the KPI so much worse, to be played."""
        scenario = read_scenario(self.file, [self.setting.format(f"{self.seconds + share * self.typical_s:.3f}")])
        return Day(str(self.file), scenario, None, seed, REPLICATIONS)


DAYS = {
    "quick": Planted(ROOT / "tests/data/quick.yaml", "detection.time_to_detect", "monitoring.grouping.wait={}s", 30.0, 45.6),
    "primary-loss": Planted(
        ROOT / "scenarios/primary-loss.yaml", "failover.rto", "policies.databases.orders.route=constant {}s", 1.0, 22.0
    ),
}


def main() -> None:
    """Play what is missing, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reruns", type=int, default=100, help="checks of what did not change")
    parser.add_argument("--planted", type=int, default=30, help="checks of each planted regression")
    parser.add_argument("--day", choices=DAYS, action="append", help="only these days")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    arguments = parser.parse_args()
    rows = [row for row in _rows() if row["code"] == code_digest()[:12]]
    with Workers(arguments.jobs) as workers:
        for name in arguments.day or DAYS:
            planted = DAYS[name]
            rows += _play(name, planted, arguments.reruns, arguments.planted, workers, rows)
    print(
        f"{REPLICATIONS} replications a check, tolerance 5 %\n\n| day | change | seeds | checks | failed |\n|---|---|---|---|---|"
    )
    for key in dict.fromkeys((row["day"], row["change"], row["seeds"]) for row in rows):
        of = [row for row in rows if (row["day"], row["change"], row["seeds"]) == key]
        print("| " + " | ".join((*key, str(len(of)), str(sum(row["failed"] == "1" for row in of)))) + " |")


def _play(
    name: str, planted: Planted, reruns: int, count: int, workers: Workers, done: list[dict[str, str]]
) -> list[dict[str, str]]:
    """The checks of one day that are not done yet, each written as it comes."""
    found = []
    have = {(row["day"], row["change"], row["seeds"], row["number"]) for row in done}
    before: dict[int, Day] = {}
    values: list[float] = []
    for number in range(1, max(reruns, count) + 1):
        for share, seeds in _wanted(number, reruns, count):
            change = f"{planted.kpi} +{share:.0%}" if share else "none"
            if (name, change, seeds, str(number)) in have:
                continue
            old = before.get(number) or _played(planted.day(0.0, number), workers)
            before = {number: old}
            new = _played(planted.day(share, number if seeds == "the same" else 10_000 + number), workers)
            values.extend(old.samples.of[planted.kpi].judged())
            new.baseline = new_baseline(old)
            checked = check([new])
            reasons = sorted({f"{one.reason} {one.kpi}" for one in checked.held[0].findings})
            row = (code_digest()[:12], name, change, seeds, str(number), str(int(checked.failed)), "; ".join(reasons))
            found.append(dict(zip(COLUMNS, row, strict=True)))
            _write(row)
    if values:
        print(f"{name}: median of {planted.kpi} {sorted(values)[len(values) // 2]:.1f} s; shares are of {planted.typical_s} s")
    return found


def _wanted(number: int, reruns: int, count: int) -> Iterator[tuple[float, str]]:
    if number <= reruns:
        yield 0.0, "other"
    if number <= count:
        for share in SHARES:
            yield share, "the same"
            yield share, "other"


def _played(day: Day, workers: Workers) -> Day:
    play_days([day], workers, lambda: None)
    return day


def _rows() -> list[dict[str, str]]:
    if not TABLE.is_file():
        return []
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(row: tuple[str, ...]) -> None:
    fresh = not TABLE.is_file()
    with TABLE.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, row] if fresh else [row])


if __name__ == "__main__":
    main()
