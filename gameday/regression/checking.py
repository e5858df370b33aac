"""Plays all game days of a folder on the seeds of their baselines, and holds each against its own; or makes the baselines anew.

The rule that surprises: the game days share one set of workers and are handed out together, so that no core waits for the last
replication of one while another has not begun.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gameday.errors import BadInput, GamedayError, Problem
from gameday.regression.baseline import Baseline, baseline_file, kpi_baseline, read_baseline, written_times
from gameday.regression.gate import TOLERANCE, Held, explain, hold, settle
from gameday.regression.landmarks import Landmarks, landmarks
from gameday.scores.kpis import Target, format_target, parse_target
from gameday.scores.samples import Samples

if TYPE_CHECKING:
    from gameday.replication import Played, Plays
    from gameday.scenario.model import Scenario

QUICK: Final = 10
"""Replications of the quick mode: the fewest from which two failing comparisons among the shipped game days' objectives still survive Holm."""
EVENTS_KEPT: Final = 10
"""Replications of which a baseline keeps the landmarks."""


@dataclass(slots=True)
class Day:
    """A game day of the check, with what was played of it."""

    file: str
    scenario: Scenario
    baseline: Baseline | None
    seed: int
    replications: int
    samples: Samples = field(default_factory=Samples)
    hard: dict[str, list[int]] = field(default_factory=dict)
    landmarks: dict[int, Landmarks] = field(default_factory=dict)

    def add(self, played: Played) -> None:
        """Take in one replication; they come in any order and are put in order by `sort`."""
        self.samples.add(played.replication, played.scores.results)
        for result in played.scores.hard_failures:
            self.hard.setdefault(result.kpi, []).append(played.replication)
        if played.timeline:
            self.landmarks[played.replication] = landmarks(played.timeline)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found."""

    held: tuple[Held, ...]
    without_baseline: tuple[str, ...]
    """Files of game days that have none."""

    @property
    def failed(self) -> bool:
        """Whether anything got worse."""
        return any(held.findings for held in self.held)

    @property
    def exit_code(self) -> int:
        """0 nothing got worse, 1 something did, 3 a game day has no baseline."""
        return 1 if self.failed else 3 if self.without_baseline else 0


def game_days(paths: Sequence[Path]) -> list[Path]:
    """The scenario files among files and in folders; parts and studies in folders are passed over."""
    from gameday.scenario.reading import read_yaml

    found: list[Path] = []
    problems: list[Problem] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        for file in sorted(one for one in path.rglob("*") if one.suffix in {".yaml", ".yml"} and one.is_file()):
            try:
                if "gameday" in read_yaml(file).data:
                    found.append(file)
            except BadInput as bad:
                problems += bad.problems
    if not found and not problems:
        problems = [
            Problem(str(path), None, None, "", None, "holds no game day (a YAML file with 'gameday: 1')") for path in paths
        ]
    if problems:
        raise BadInput(problems)
    return list(dict.fromkeys(found))


def days(paths: Sequence[Path], baselines: Path, *, most: int | None, seed: int | None = None, fresh: bool = False) -> list[Day]:
    """Read the game days and their baselines. BadInput with the problems of all of them.

    `most` limits the replications (None: as many as the baseline has). `fresh` plays as many as the scenario says and needs no baseline
    (for `--update`). `seed` replaces that of the baseline.
    """
    from gameday.scenario import read_scenario

    found, problems = [], []
    names: dict[str, Path] = {}
    for path in game_days(paths):
        try:
            scenario = read_scenario(path)
            file = baseline_file(baselines, scenario.name)
            baseline = read_baseline(file) if file.is_file() else None
        except BadInput as bad:
            problems += bad.problems
            continue
        if scenario.name in names:
            message = f"has the same name as {names[scenario.name]}, and baselines are kept by name"
            problems.append(Problem(str(path), None, None, "name", scenario.name, message))
        names[scenario.name] = path
        n = scenario.replications if fresh or baseline is None else baseline.replications
        root = seed if seed is not None else baseline.seed if baseline else 1
        found.append(Day(str(path), scenario, baseline, root, n if most is None else min(n, most)))
    if problems:
        raise BadInput(problems)
    return found


def play_days(days: Iterable[Day], workers: Plays, step: Callable[[], None]) -> None:
    """Play all replications of all game days; `step` is called after each."""
    from gameday.replication import Task, packed

    all_days = list(days)

    def tasks() -> Iterator[Task]:
        for group, day in enumerate(all_days):
            content, key = packed(day.scenario)
            for number in range(day.replications):
                yield Task(content, key, day.seed, (number,), timelines=number < EVENTS_KEPT, group=group)

    found: dict[int, dict[int, Played]] = {group: {} for group in range(len(all_days))}
    for task, played in workers.run(tasks()):
        for one in played:
            found[task.group][one.replication] = one
            step()
    for group, day in enumerate(all_days):
        for number in sorted(found[group]):
            day.add(found[group][number])


def check(days: Sequence[Day], tolerance: float = TOLERANCE) -> Checked:
    """Hold what was played against the baselines."""
    from gameday import __version__
    from gameday.scenario import digest

    held = []
    for day in days:
        if day.baseline is not None:
            sha256 = digest(day.scenario)
            one = hold(
                day.scenario,
                day.file,
                day.baseline,
                day.samples,
                day.hard,
                sha256=sha256,
                version=__version__,
                tolerance=tolerance,
            )
            held.append((day, one))
    settle([one for _, one in held])
    for day, one in held:
        explain(one, before_of(one.baseline), day.landmarks, day.samples)
    return Checked(tuple(one for _, one in held), tuple(day.file for day in days if day.baseline is None))


def before_of(baseline: Baseline) -> Mapping[int, Landmarks]:
    """The landmarks that a baseline keeps, by replication."""
    found = {number: baseline.landmarks(number) for number in range(min(EVENTS_KEPT, baseline.replications))}
    return {number: one for number, one in found.items() if one is not None}


def new_baseline(day: Day) -> Baseline:
    """The baseline that what was played makes."""
    from gameday import __version__
    from gameday.scenario import digest

    asked: dict[str, dict[str, Target]] = {}
    for one in day.scenario.objectives:
        target = parse_target(one.kpi, one.target)
        asked.setdefault(one.kpi, {})[format_target(one.kpi, target)] = target
    if not len(day.samples):
        raise GamedayError(f"{day.file}: nothing was played, so there is nothing to accept")
    kept = [number for number in range(min(EVENTS_KEPT, day.replications)) if number in day.landmarks]
    labels = sorted({label for number in kept for label in day.landmarks[number]}, key=lambda label: _first(day, kept, label))
    return Baseline(
        baseline=1,
        scenario=day.scenario.name,
        scenario_sha256=digest(day.scenario),
        version=__version__,
        seed=day.seed,
        replications=day.replications,
        hard_failures={kpi: sorted(numbers) for kpi, numbers in sorted(day.hard.items())},
        kpis={kpi: kpi_baseline(day.samples.of[kpi], targets) for kpi, targets in asked.items() if kpi in day.samples.of},
        events={label: [written_times(day.landmarks[number].get(label, ())) for number in kept] for label in labels},
    )


def _first(day: Day, kept: Sequence[int], label: str) -> tuple[float, int]:
    """Its earliest time, and its place in a timeline that has it, so that a cause stays before what it leads to at the same instant."""
    having = [day.landmarks[number] for number in kept if label in day.landmarks[number]]
    return min(one[label][0] for one in having), list(having[0]).index(label)
