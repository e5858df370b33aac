"""Plays a study: every point at first a few times, then those whose intervals are wider than asked, until all are tight or time is up.

The rule that surprises: what is played next depends on what was found, never on how quickly it came. The same study played on one core, on
two, on a cluster, or in three sittings has the same rows, except that a budget may cut it short.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from gameday.errors import BadInput, Problem
from gameday.study.design import Point, levels_of, point, points_of, scenario_at
from gameday.study.estimates import estimate
from gameday.study.model import Factor, StudyFile
from gameday.study.store import Store, row_of
from gameday.study.unavailability import Share, unavailability_at

if TYPE_CHECKING:
    from gameday.replication import Plays, Task

Direction = Literal["minimize", "maximize"]
GROWTH: Final = 1.5
"""Replications of a point that is not tight enough, from one round to the next."""
FLUSH_S: Final = 2.0
"""Longest time for which a finished replication is not on the disk yet."""
BATCH: Final = 8
"""Points of a search that are chosen together; fixed, so that the result does not depend on the number of workers."""
CHUNKS_EACH: Final = 8
"""Chunks a worker gets of a round, at least, where there is enough to do: few enough to cost nothing, enough to end together."""
LONGEST_CHUNK: Final = 16
_BAD: Final = 1e12
"""What a search sees where something never happened or could not be judged."""


@dataclass(slots=True)
class Playing:
    """A study while it is played."""

    file: StudyFile
    store: Store
    workers: Plays
    step: Callable[[int], object] = int
    """Called after each replication with how many are planned in all, as far as is known."""
    budget_s: float | None = None
    points: list[Point] = field(default_factory=list)
    out_of_time: bool = False
    _packed: dict[int, tuple[bytes, str, str]] = field(default_factory=dict)
    _down: dict[int, Share] = field(default_factory=dict)
    _started: float = 0.0
    _done: int = 0

    def play(self) -> None:
        """Play until everything is tight, or the budget is spent. BadInput when a point is no scenario, before anything is played."""
        self._started = time.monotonic()
        self.points = points_of(self.file.study)
        if self.file.study.design.kind == "search":
            self._search()
        else:
            self._prepare(self.points)
            self._until_tight(self.points)
        self.store.finish()

    def _prepare(self, points: Sequence[Point]) -> None:
        from gameday.replication import packed
        from gameday.scenario import digest

        problems: dict[Problem, None] = {}
        for one in points:
            if one.number in self._packed:
                continue
            try:
                scenario = scenario_at(self.file, one.levels)
                self._down[one.number] = unavailability_at(self.file, scenario, one.label)
            except BadInput as bad:
                problems |= dict.fromkeys(bad.problems)
                continue
            content, key = packed(scenario)
            self._packed[one.number] = content, key, digest(scenario)
        if problems:
            raise BadInput(problems)

    def _until_tight(self, points: Sequence[Point]) -> None:
        study = self.file.study
        wanted = dict.fromkeys((one.number for one in points), study.replications.least)
        while True:
            self._round({number: count for number, count in wanted.items() if count > self._played(number)}, points)
            wide = [one.number for one in points if self._is_wide(one.number) and wanted[one.number] < study.replications.most]
            if self.out_of_time or not wide:
                return
            for number in wide:
                wanted[number] = min(study.replications.most, math.ceil(wanted[number] * GROWTH))

    def _played(self, number: int) -> int:
        """How many replications from 0 on a point has without a gap."""
        count = 0
        while (number, count) in self.store.rows:
            count += 1
        return count

    def _is_wide(self, number: int) -> bool:
        rows = self.store.of_point(number)
        asked = [one for one in self.file.study.responses if one.precision is not None]
        return any(not estimate(one, rows).as_tight_as(one.precision or 0.0) for one in asked)

    def _round(self, wanted: dict[int, int], points: Sequence[Point]) -> None:
        """Play what is missing, in chunks that go round all points, so that an early end leaves all about equally far."""
        by_number = {one.number: one for one in points}
        missing = {
            number: [replication for replication in range(count) if (number, replication) not in self.store.rows]
            for number, count in wanted.items()
        }
        total = sum(map(len, missing.values()))
        size = max(1, min(LONGEST_CHUNK, total // (self.workers.width * CHUNKS_EACH)))
        chunks = sorted(
            (start, number, tuple(numbers[start : start + size]))
            for number, numbers in missing.items()
            for start in range(0, len(numbers), size)
        )
        planned = self._done + total
        flushed = time.monotonic()
        running = self.workers.run(self._tasks([(number, chunk) for _, number, chunk in chunks]))
        try:
            for task, played in running:
                sha256 = self._packed[task.group][2]
                for one in played:
                    self.store.add(row_of(by_number[task.group], one.scores, self.store.identity, sha256, self._down[task.group]))
                    self._done += 1
                    self.step(planned)
                if time.monotonic() - flushed > FLUSH_S:
                    self.store.flush()
                    flushed = time.monotonic()
        finally:
            running.close()
            self.store.flush()

    def _tasks(self, chunks: Sequence[tuple[int, tuple[int, ...]]]) -> Iterator[Task]:
        from gameday.replication import Task

        for number, replications in chunks:
            if self.budget_s is not None and time.monotonic() - self._started > self.budget_s:
                self.out_of_time = True
                return
            content, key, _ = self._packed[number]
            yield Task(content, key, self.file.study.seed, replications, group=number)

    # -- search -----------------------------------------------------------------------------------------------------------

    def _search(self) -> None:
        """Ask Optuna for points in batches and tell it what they showed; a resumed search asks the same again and finds it played."""
        import optuna

        from gameday.study.extra import needs_analysis

        needs_analysis()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = self.file.study
        directions: list[Direction] = ["minimize" if one.better == "lower" else "maximize" for one in study.responses]
        sampler = optuna.samplers.NSGAIISampler(population_size=BATCH, seed=study.design.seed)
        search = optuna.create_study(directions=directions, sampler=sampler)
        seen: dict[tuple[str, ...], Point] = {}
        asked = 0
        while asked < study.design.points and not self.out_of_time:
            trials = [search.ask() for _ in range(min(BATCH, study.design.points - asked))]
            asked += len(trials)
            chosen = []
            for trial in trials:
                levels = {name: _suggested(trial, name, factor) for name, factor in study.factors.items()}
                key = tuple(levels.values())
                if key not in seen:
                    seen[key] = point(study, len(seen), levels)
                    self.points.append(seen[key])
                chosen.append(seen[key])
            fresh = list({one.number: one for one in chosen}.values())
            self._prepare(fresh)
            self._until_tight(fresh)
            for trial, one in zip(trials, chosen, strict=True):
                values, constraints = self._told(one.number, directions)
                for name, value in constraints.items():
                    trial.set_constraint(name, value)
                search.tell(trial, values)

    def _told(self, number: int, directions: Sequence[str]) -> tuple[list[float], dict[str, float]]:
        values: list[float] = []
        constraints: dict[str, float] = {}
        rows = self.store.of_point(number)
        for response, direction in zip(self.file.study.responses, directions, strict=True):
            found = estimate(response, rows)
            bad = _BAD if direction == "minimize" else -_BAD
            values.append(bad if found.value is None or not math.isfinite(found.value) else found.value)
            if response.limit is not None:
                constraints[response.name] = {"yes": -1.0, "unclear": 0.0, "no": 1.0}[found.allowed]
        return values, constraints


def _suggested(trial: object, name: str, factor: Factor) -> str:
    """A value of a factor, as Optuna proposes it."""
    from gameday.study.levels import spread

    if factor.range is not None:
        place: float = trial.suggest_float(name, 0.0, 1.0)  # type: ignore[attr-defined]
        return spread(factor.range, factor.scale, [place], whole=factor.whole)[0]
    level: str = trial.suggest_categorical(name, levels_of(factor))  # type: ignore[attr-defined]
    return level


def identity_of(file: StudyFile) -> dict[str, object]:
    """What rows of a study have in common: they may be continued only when all of it is the same."""
    from gameday import __version__
    from gameday.fingerprint import code_digest
    from gameday.scenario import digest

    return {
        "file": file.study.model_dump(mode="json", by_alias=True),
        "study": file.study.name,
        "design_sha256": file.sha256,
        "scenario_sha256": digest(scenario_at(file, {})),
        "seed": file.study.seed,
        "version": __version__,
        "code_sha256": code_digest(),
    }
