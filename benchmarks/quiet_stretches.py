"""Whether quiet stretches move any score, and what they save: every shipped scenario, played both ways, each way in days of its own.

    python -m benchmarks.quiet_stretches [--hours 2] [--least 2] [--markdown table.md]

For every KPI the two samples are compared by the Kolmogorov-Smirnov distance, with its chance from permutations (which are exact for values
that repeat), and Holm's correction over all KPIs of all scenarios. The rule that surprises: the days of the two ways have nothing in common,
for days that share their randomness would look more alike than two samples may. At the end the flagship day, exact and quiet.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import process_time

import numpy as np

from benchmarks.workloads import Workload, flagship
from gameday.scenario import read_scenario
from gameday.scenario.model import Scenario
from gameday.scores import Grade, Recording, ReplicationScores, replication_scores, score
from gameday.shipped import shipped_scenarios
from gameday.statistics import holm
from sim import run
from sim.streams import Streams
from sim.traffic import Engine
from sim.traffic.engines import make_engine
from sim.traffic.quiet import make_quiet_engine
from sim.wiring import build

PERMUTATIONS = 20_000
LEVEL = 0.05
SEED = 1
GRADES = list(Grade)


@dataclass(frozen=True, slots=True)
class Way:
    """One scenario, played one way."""

    samples: Mapping[str, Sequence[float]]
    seconds: float
    jumped: float
    days: int


@dataclass(frozen=True, slots=True)
class Row:
    """One KPI of one scenario."""

    scenario: str
    kpi: str
    exact: str
    quiet: str
    distance: float
    chance: float


def play(scenario: Scenario, days: int, *, quiet: bool) -> Way:
    """That many days; quiet ones are other days than exact ones."""
    wiring = build(scenario)
    judged: list[tuple[Recording, ReplicationScores]] = []
    seconds = jumped = 0.0
    for number in range(days):
        started = process_time()
        recording = run(scenario, SEED, 2 * number + quiet, wiring, quiet=quiet)
        seconds += process_time() - started
        jumped += recording.jumped_s / scenario.duration / days
        scores = replication_scores(score(recording, scenario), recording, scenario, number)
        judged.append((Recording(recording.timeline, recording.series), scores))
    return Way(samples(judged), seconds, jumped, days)


def samples(judged: Sequence[tuple[Recording, ReplicationScores]]) -> dict[str, list[float]]:
    """Values per KPI: infinite where it never came to it, minus infinity where it did not apply or could not be told."""
    found: dict[str, list[float]] = {"(requests offered)": [], "(requests lost)": [], "(alerts fired)": [], "(grade)": []}
    for recording, one in judged:
        offered = (sum(series.values) for series in recording.series.find("requests.offered"))
        fired = sum(event.kind == "alert.firing" for event in recording.timeline)
        own = (float(sum(offered)), one.lost_requests, float(fired), float(GRADES.index(one.grade)))
        for name, value in zip(found, own, strict=False):
            found[name].append(value)
        for result in one.results:
            value = inf if result.censored_at is not None else -inf if result.value is None else result.value
            found.setdefault(result.kpi, []).append(value)
    return found


def distance_and_chance(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Kolmogorov-Smirnov distance of two samples, and the share of permutations with one at least as large."""
    values = np.array([*one, *other])
    order = np.argsort(values, kind="stable")
    ends = np.append(np.diff(np.unique(values, return_inverse=True)[1][order]) != 0, True)
    labels = np.zeros(len(values))
    labels[: len(one)] = 1.0 / len(one)
    labels[len(one) :] = -1.0 / len(other)
    found = np.abs(labels[order].cumsum()[ends]).max()
    draws = np.random.default_rng(len(values))
    shuffled = draws.permuted(np.tile(labels, (PERMUTATIONS, 1)), axis=1)
    reached = np.abs(shuffled.cumsum(axis=1)[:, ends]).max(axis=1) >= found - 1e-12
    return float(found), float((1 + reached.sum()) / (1 + PERMUTATIONS))


def _in_words(values: list[float]) -> str:
    known = [value for value in values if abs(value) < inf]
    text = f"{np.mean(known):.4g} ± {np.std(known):.2g}" if known else "-"
    others = [f"{count} {what}" for what, count in (("never", values.count(inf)), ("n/a", values.count(-inf))) if count]
    return ", ".join([text, *others])


def compare(name: str, exact: Way, quiet: Way) -> Iterator[Row]:
    """The KPIs that are not the same in every single day of both."""
    for kpi in exact.samples:
        one, other = list(exact.samples[kpi]), list(quiet.samples[kpi])
        if len({*one, *other}) > 1:
            yield Row(name, kpi, _in_words(one), _in_words(other), *distance_and_chance(one, other))


def scenarios() -> list[Path]:
    """Those that are shipped and not for live days."""
    return [path for path in sorted(shipped_scenarios().glob("*.yaml")) if not path.name.startswith("live-")]


def play_flagship(workload: Workload, engine: Engine, *, quiet: bool) -> tuple[float, float]:
    """Seconds of processor and the share jumped over; looked at every second, as a control plane does."""
    times = [at for at, _ in workload.changes]
    if quiet:
        assert hasattr(engine, "foresee"), "an engine with quiet stretches"
        engine.foresee = lambda now: (
            now if sum(at <= now for at in times) % 2 else min((at for at in times if at > now), default=workload.until_s)
        )
    left = list(workload.changes)
    started = process_time()
    for second in range(1, int(workload.until_s) + 1):
        while left and left[0][0] < second:
            at, change = left.pop(0)
            engine.advance(at)
            engine.apply(change)
        engine.advance(float(second))
        engine.observe()
    return process_time() - started, getattr(engine, "jumped_s", 0.0) / workload.until_s


def flagship_table() -> Iterator[str]:
    """The flagship day with faults of a minute and of half a minute."""
    yield "| flagship day: 2 h, 20 services, 2,000 requests/s, ten faults | exact | quiet stretches | ratio | jumped |"
    yield "|---|---|---|---|---|"
    make_engine(flagship().plan, Streams(0)).advance(0.1)
    for lasts_s in (60.0, 30.0):
        workload = flagship(lasts_s=lasts_s)
        exact_s, _ = play_flagship(workload, make_engine(workload.plan, Streams(SEED)), quiet=False)
        quiet_s, jumped = play_flagship(workload, make_quiet_engine(workload.plan, Streams(SEED)), quiet=True)
        yield f"| of {lasts_s:.0f} s each | {exact_s:.1f} s | {quiet_s:.2f} s | {exact_s / quiet_s:.1f} | {jumped:.0%} |"


def shipped_tables(hours: float, least: int) -> Iterator[str]:
    """A line per scenario, then a line per KPI."""
    rows: list[Row] = []
    lines = [
        "| scenario | days each way | exact, s a day | quiet, s a day | ratio | jumped | KPIs that vary |",
        "|---|---|---|---|---|---|---|",
    ]
    for path in scenarios():
        scenario = read_scenario(path)
        days = max(least, round(hours * 3600.0 / scenario.duration))
        play(scenario, 1, quiet=False)  # what is loaded once is nobody's time
        exact, quiet = play(scenario, days, quiet=False), play(scenario, days, quiet=True)
        found = list(compare(path.stem, exact, quiet))
        rows += found
        each = exact.seconds / days, quiet.seconds / days, exact.seconds / quiet.seconds
        lines.append(
            f"| {path.stem} | {days} | {each[0]:.2f} | {each[1]:.2f} | {each[2]:.2f} | {quiet.jumped:.0%} | {len(found)} |"
        )
        print(lines[-1], file=sys.stderr, flush=True)
    adjusted = holm([row.chance for row in rows])
    yield from lines
    yield ""
    yield "| scenario | KPI | exact: mean ± sd | quiet: mean ± sd | KS | p | p, Holm |"
    yield "|---|---|---|---|---|---|---|"
    for row, chance in zip(rows, adjusted, strict=True):
        yield f"| {row.scenario} | `{row.kpi}` | {row.exact} | {row.quiet} | {row.distance:.2f} | {row.chance:.3f} | {chance:.2f} |"
    moved = [row for row, chance in zip(rows, adjusted, strict=True) if chance < LEVEL]
    yield ""
    yield f"{len(rows)} KPIs compared, smallest p {min(row.chance for row in rows):.4f}; moved at a level of {LEVEL:g} (Holm): {len(moved)}."


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=2.0, help="simulated hours of each scenario, each way")
    parser.add_argument("--least", type=int, default=2, help="days of each scenario at least")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there too")
    arguments = parser.parse_args()
    lines = [*shipped_tables(arguments.hours, arguments.least), "", *flagship_table()]
    print("\n".join(lines))
    if arguments.markdown is not None:
        arguments.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
