"""Whether quiet stretches move any score, and what they save: every shipped scenario and the flagship day, played both ways.

    python -m benchmarks.quiet_stretches [--hours 2] [--least 2] [--kept days.jsonl] [--table table.csv]

Three sets of days of each: exact ones, quiet ones that have nothing in common with them, and quiet ones with their seeds (`two_ways.py` says what
each is held against). All chances are corrected together. The rule that surprises: with `--kept` every day is written down as it ends, and an
interrupted benchmark goes on from there; whether those days are of the same code is for whoever names the file to know.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import inf
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np

from benchmarks import quiet_flagship, two_ways
from benchmarks.workloads import flagship
from gameday.scenario import read_scenario
from gameday.scores import Grade, replication_scores, score
from gameday.shipped import shipped_scenarios
from sim import run
from sim.wiring import build

SEED = 1
FLAGSHIP = "flagship day"
GRADES = list(Grade)
WAYS = ("exact", "quiet", "same")
COLUMNS = (
    *("scenario", "kpi", "exact", "quiet", "ks", "p", "p_holm"),
    *("difference", "low", "high", "paired_p", "paired_p_holm", "unlike", "shift_seen_sd"),
)


@dataclass(frozen=True, slots=True)
class Played:
    """One day, one way."""

    scenario: str
    way: str
    replication: int
    seconds: float
    """Of a processor."""
    jumped: float
    """Share of the time."""
    values: Mapping[str, float]


Player = Callable[[str, int], Played]
"""Plays a day of one scenario: which way, and which replication."""


def shipped(path: Path) -> Player:
    """A player of a shipped scenario."""
    scenario = read_scenario(path)
    wiring = build(scenario)

    def play(way: str, replication: int) -> Played:
        """Play a day one way (`exact`, or quiet) and score it; seconds are of a processor."""
        started = process_time()
        recording = run(scenario, SEED, replication, wiring, quiet=way != "exact")
        seconds = process_time() - started
        scores = replication_scores(score(recording, scenario), recording, scenario, replication)
        offered = (sum(series.values) for series in recording.series.find("requests.offered"))
        values = {
            "(requests offered)": float(sum(offered)),
            "(requests lost)": scores.lost_requests,
            "(alerts fired)": float(sum(event.kind == "alert.firing" for event in recording.timeline)),
            "(grade)": float(GRADES.index(scores.grade)),
        }
        for result in scores.results:
            values[result.kpi] = inf if result.censored_at is not None else -inf if result.value is None else result.value
        return Played(path.stem, way, replication, seconds, recording.jumped_s / scenario.duration, values)

    return play


def of_the_flagship() -> Player:
    """A player of the flagship day."""
    workload = flagship()

    def play(way: str, replication: int) -> Played:
        engine = quiet_flagship.engine(workload, replication, quiet=way != "exact")
        seconds = quiet_flagship.play(workload, engine)
        share = quiet_flagship.jumped(engine) / workload.until_s
        return Played(FLAGSHIP, way, replication, seconds, share, quiet_flagship.values(workload.plan, engine))

    return play


def players() -> dict[str, tuple[float, Callable[[], Player]]]:
    """Scenarios that are shipped and not for live days, and the flagship day, with the hours that one of their days stands for."""
    paths = [path for path in sorted(shipped_scenarios().glob("*.yaml")) if not path.name.startswith("live-")]
    found = {path.stem: (read_scenario(path).duration / 3600.0, partial(shipped, path)) for path in paths}
    return {**found, FLAGSHIP: (inf, of_the_flagship)}


def days_of(name: str, make: Callable[[], Player], count: int, kept: Path | None) -> list[Played]:
    """That many days each way: those that were kept, and the rest played. Quiet ones of their own are other replications than exact ones."""
    found = [Played(**row) for row in _rows(kept) if row["scenario"] == name]
    have = {(day.way, day.replication) for day in found}
    wanted = [(way, 2 * number + (way == "quiet")) for number in range(count) for way in WAYS]
    missing = [each for each in wanted if each not in have]
    player = make() if missing else None
    if player is not None:
        player("exact", 2 * count)  # what is loaded once is no day's time
    for way, replication in missing:
        assert player is not None, "something is missing"
        found.append(player(way, replication))
        if kept is not None:
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(found[-1])) + "\n")
    return [day for day in found if (day.way, day.replication) in wanted]


def _rows(kept: Path | None) -> list[dict[str, object]]:
    if kept is None or not kept.is_file():
        return []
    return [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]


def samples(days: Sequence[Played], way: str) -> dict[str, list[float]]:
    """Values per KPI, in order of replications."""
    found: dict[str, list[float]] = {}
    for day in sorted(days, key=lambda each: each.replication):
        if day.way == way:
            for kpi, value in day.values.items():
                found.setdefault(kpi, []).append(value)
    return found


def in_words(values: Sequence[float]) -> str:
    """Mean and standard deviation of what is known, and how often it never came to it or did not apply."""
    known = [value for value in values if abs(value) < inf]
    text = f"{np.mean(known):.6g} ± {np.std(known):.2g}" if known else "-"
    others = [f"{count} {what}" for what, count in (("never", values.count(inf)), ("n/a", values.count(-inf))) if count]
    return ", ".join([text, *others])


def write(table: Path, rows: Sequence[two_ways.Row], chances: Sequence[tuple[float, float]]) -> None:
    """A line per KPI."""
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row, (chance, same_chance) in zip(rows, chances, strict=True):
            apart = row.difference()
            seen = two_ways.paired_shift_seen(len(row.exact), 2 * len(rows), row.unlike)
            numbers = ["", "", ""] if apart is None else [f"{each:.4g}" for each in apart]
            distribution = [f"{row.distance:.3f}", f"{row.chance:.5f}", f"{chance:.3f}"]
            paired = [*numbers, f"{row.same_chance:.5f}", f"{same_chance:.3f}", f"{row.unlike:.2f}", f"{seen:.2f}"]
            writer.writerow([row.scenario, row.kpi, in_words(list(row.exact)), in_words(list(row.quiet)), *distribution, *paired])


def summary(days: Mapping[str, Sequence[Played]], rows: Sequence[two_ways.Row], table: Path | None) -> Iterator[str]:
    """A line per scenario: what it costs and what was found."""
    chances = two_ways.adjusted(rows)
    if table is not None:
        write(table, rows, chances)
    yield (
        "| scenario | days each way | exact, s a day | quiet, s a day | jumped | KPIs that vary "
        "| distributions: smallest p (Holm) | seen, sd | same seeds: smallest p (Holm) | seen, sd |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for name, played in days.items():
        count = sum(day.way == "exact" for day in played)
        exact_s, quiet_s = (median(day.seconds for day in played if (day.way == "exact") == exact) for exact in (True, False))
        jumped = np.mean([day.jumped for day in played if day.way != "exact"])
        found = [(row, chance) for row, chance in zip(rows, chances, strict=True) if row.scenario == name]
        first = min(found, key=lambda each: each[0].chance)
        second = min(found, key=lambda each: each[0].same_chance)
        seen = [two_ways.paired_shift_seen(count, 2 * len(rows), row.unlike) for row, _ in found if row.unlike]
        paired = median(seen) if seen else 0.0
        cells = [
            *(name, count, f"{exact_s:.2f}", f"{quiet_s:.2f}", f"{jumped:.0%}", len(found)),
            *(f"{first[0].chance:.4f} ({first[1][0]:.2f})", _in_sd(two_ways.shift_seen(count, 2 * len(rows)))),
            *(f"{second[0].same_chance:.4f} ({second[1][1]:.2f})", _in_sd(paired)),
        ]
        yield "| " + " | ".join(map(str, cells)) + " |"
    moved = sum(chance < two_ways.LEVEL for pair in chances for chance in pair)
    yield ""
    low = sum(chance < two_ways.LEVEL for row in rows for chance in (row.chance, row.same_chance))
    yield f"{len(rows)} KPIs, {2 * len(rows)} tests; moved at a level of {two_ways.LEVEL:g} (Holm): {moved}."
    yield f"Uncorrected, {low} are below {two_ways.LEVEL:g}; by luck alone it would be up to {two_ways.LEVEL * 2 * len(rows):.0f}."


def _in_sd(shift: float) -> str:
    return "none" if shift == inf else f"{shift:.2f}"


def main() -> None:
    """Play what is missing, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=2.0, help="simulated hours of each scenario, each way")
    parser.add_argument("--least", type=int, default=2, help="days of each scenario at least, and of the flagship day")
    parser.add_argument("--kept", type=Path, metavar="FILE", help="where every day is written down, to go on from")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write a line per KPI there")
    parser.add_argument("--only", action="append", metavar="SCENARIO", help="only this one; may be given again")
    arguments = parser.parse_args()
    days: dict[str, list[Played]] = {}
    rows: list[two_ways.Row] = []
    for name, (hours, make) in players().items():
        if arguments.only is None or name in arguments.only:
            days[name] = days_of(name, make, max(arguments.least, round(arguments.hours / hours)), arguments.kept)
            rows += two_ways.rows(name, *(samples(days[name], way) for way in WAYS))
            print(f"played: {name}", file=sys.stderr, flush=True)
    print("\n".join([*summary(days, rows, arguments.table), "", *quiet_flagship.tables()]))


if __name__ == "__main__":
    main()
