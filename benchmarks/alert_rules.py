"""Alert rules on real metrics with labelled anomalies: static thresholds against baselines.

    python -m benchmarks.alert_rules [FOLDER]        CSV files (timestamp,value) and windows.json; default: benchmarks/data/nab

The rule that surprises: nothing here was chosen by looking at the results. Every metric has the same settings, which are the defaults of
the scenario language, and what is learned is learned from the past alone: static limits from the first 15 % (the probationary part of the
Numenta Anomaly Benchmark, which is not scored), baselines anew every midnight from everything before it. Conditions and state machine are
those of `gameday.alerting`.
"""

from __future__ import annotations

import csv
import json
import math
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gameday.alerting.alert import labels_of
from gameday.alerting.baseline import Baseline
from gameday.alerting.rules import RuleMachine
from gameday.alerting.seasonal import DAY_S, Method, fitted, robust_spread
from gameday.alerting.source import Sampler
from gameday.alerting.threshold import Threshold

FOLDER = Path(__file__).parent / "data" / "nab"
TRAINING = 0.15
DEVIATIONS = 4.0
HOLD_S, KEEP_FIRING_S = 900.0, 3600.0
"""An alert needs a quarter of an hour, three measurements, and stays an hour, so that flapping is one alarm."""
Span = tuple[float, float]


@dataclass(frozen=True)
class Metric:
    """A metric and its anomalies."""

    name: str
    times: list[float]
    values: list[float]
    windows: list[Span]

    @property
    def training(self) -> int:
        """Number of measurements that are learned from before anything is scored."""
        return math.ceil(TRAINING * len(self.times))


@dataclass(frozen=True)
class Score:
    """What a rule did on one or more metrics."""

    anomalies: int
    found: int
    alarms: int
    true: int
    delays_s: tuple[float, ...]
    quiet_s: float
    """Time that is scored and outside every window."""

    def __add__(self, other: Score) -> Score:
        return Score(
            self.anomalies + other.anomalies,
            self.found + other.found,
            self.alarms + other.alarms,
            self.true + other.true,
            self.delays_s + other.delays_s,
            self.quiet_s + other.quiet_s,
        )

    def row(self) -> str:
        """Recall, precision, median delay, false alarms per day."""
        recall = f"{self.found}/{self.anomalies}"
        precision = f"{self.true / self.alarms:.0%} of {self.alarms}" if self.alarms else "no alarm"
        delay = f"{statistics.median(self.delays_s) / 3600:.1f} h" if self.delays_s else "-"
        return f"{recall} | {precision} | {delay} | {(self.alarms - self.true) / (self.quiet_s / DAY_S):.2f}"


@dataclass
class Current:
    """The value that is current, as the conditions ask for it."""

    number: float = 0.0

    def value(self, _indicator: str, _subject: str, _window_s: float, _now: float) -> float | None:
        """The current value."""
        return self.number


def read(folder: Path) -> Iterator[Metric]:
    """The metrics of a folder."""
    windows = json.loads((folder / "windows.json").read_text(encoding="utf-8"))
    for file in sorted(folder.glob("*.csv")):
        with file.open(encoding="utf-8") as lines:
            rows = [(_seconds(row["timestamp"]), float(row["value"])) for row in csv.DictReader(lines)]
        spans = [(_seconds(first), _seconds(last)) for first, last in windows.get(file.name, [])]
        yield Metric(file.stem, [at for at, _ in rows], [value for _, value in rows], spans)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


# -- rules ----------------------------------------------------------------------------------------------------------------

Rules = Callable[[Metric], Iterator[tuple[int, Sampler]]]
"""For a metric: from which measurement on which condition holds."""


def static(low_high: Callable[[list[float]], Span]) -> Rules:
    """Limits from the training part, for good."""

    def conditions(metric: Metric) -> Iterator[tuple[int, Sampler]]:
        low, high = low_high(metric.values[: metric.training])
        yield metric.training, Threshold("metric", "value", 0.0, above=high, below=low)

    return conditions


def around_median(values: list[float]) -> Span:
    """As far from the median as a baseline may be, without hours."""
    centre, allowed = statistics.median(values), DEVIATIONS * robust_spread(values)
    return centre - allowed, centre + allowed


def outside_range(values: list[float]) -> Span:
    """Further than the training part ever went, by a tenth of its range."""
    margin = (max(values) - min(values)) / 10
    return min(values) - margin, max(values) + margin


def baseline(method: Method) -> Rules:
    """What is usual at an hour, learned anew every midnight from everything before it."""

    def conditions(metric: Metric) -> Iterator[tuple[int, Sampler]]:
        known = metric.training
        day = -1.0
        for position in range(metric.training, len(metric.times)):
            if metric.times[position] // DAY_S != day:
                day, known = metric.times[position] // DAY_S, position
                step_s = metric.times[1] - metric.times[0]
                enough = method != "stl" or known * step_s >= 2 * DAY_S
                usual = fitted(method if enough else "hour_of_week", metric.times[:known], metric.values[:known])
                yield position, Baseline("metric", "value", 0.0, usual, DEVIATIONS, "both", 0.0)

    return conditions


RULES: dict[str, Rules] = {
    "static, median ± 4 robust deviations of the first 15 %": static(around_median),
    "static, a tenth beyond the range of the first 15 %": static(outside_range),
    "baseline, hour of the week": baseline("hour_of_week"),
    "baseline, STL": baseline("stl"),
}


# -- judging --------------------------------------------------------------------------------------------------------------


def alarms(metric: Metric, rules: Rules) -> list[float]:
    """When the rule began to fire."""
    changes = dict(rules(metric))
    machine = RuleMachine(
        "rule", "page", lambda subject: labels_of({"subject": subject}), hold_s=HOLD_S, keep_firing_for_s=KEEP_FIRING_S
    )
    source, condition = Current(), None
    found: list[float] = []
    for position in range(metric.training, len(metric.times)):
        now, source.number = metric.times[position], metric.values[position]
        condition = changes.get(position, condition)
        assert condition is not None, "the first condition holds from the end of the training on"
        events = machine.evaluate(now, condition.samples(source, now))
        found += [now for event in events if event.transition == "firing"]
    return found


def judge(metric: Metric, fired: Sequence[float]) -> Score:
    """Alarms against windows. What counts is when an alarm begins: one that rings already tells nobody anything.

    What lies in the training part is not scored.
    """
    begins, ends = metric.times[metric.training], metric.times[-1]
    windows = [(max(first, begins), last) for first, last in metric.windows if last > begins]
    hits = [[at - first for at in fired if first <= at <= last] for first, last in windows]
    true = sum(any(first <= at <= last for first, last in windows) for at in fired)
    delays = tuple(min(hit) for hit in hits if hit)
    quiet_s = (ends - begins) - sum(min(last, ends) - first for first, last in windows)
    return Score(len(windows), len(delays), len(fired), true, delays, quiet_s)


def main(arguments: Sequence[str]) -> int:
    """Print a table by metric and rule, and the totals by rule."""
    metrics = list(read(Path(arguments[0]) if arguments else FOLDER))
    totals: dict[str, Score] = {}
    print(
        "| metric | rule | anomalies found | alarms that were right | median delay | false alarms a day |\n|---|---|---|---|---|---|"
    )
    for metric in metrics:
        for name, rules in RULES.items():
            score = judge(metric, alarms(metric, rules))
            print(f"| {metric.name} | {name} | {score.row()} |", flush=True)
            totals[name] = totals[name] + score if name in totals else score
    print("\n| rule | anomalies found | alarms that were right | median delay | false alarms a day |\n|---|---|---|---|---|")
    for name, score in totals.items():
        print(f"| {name} | {score.row()} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
