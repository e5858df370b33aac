"""Plays a game day from scenario to run folder: replications, scores, record, reports.

The rule that surprises: everything is written at the end, each file whole or not at all, and an interrupt ends the playing, not the
writing of what was played. A second interrupt gives up the reports, which can be made again.
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from gameday.errors import GamedayError, Interrupted
from gameday.progress import Progress

if TYPE_CHECKING:
    from gameday.interrupts import Interrupts
    from gameday.replication import Played
    from gameday.runfolder import RunFolder
    from gameday.runrecord import RunRecord
    from gameday.scenario.model import Scenario
    from gameday.scores.aggregate import Aggregate


@dataclass(frozen=True, slots=True)
class Request:
    """What to play and where to put it."""

    scenario: Scenario
    seed: int
    replications: int
    jobs: int
    out: Path | None
    arguments: list[str]
    within_s: float | None = None
    """Time after which no replication is begun any more; None = all are played."""
    reports: bool = True
    force: bool = False
    results: Path = Path("results")
    quiet: bool = False
    """Whether quiet stretches are jumped over."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A written run."""

    folder: RunFolder
    scores: dict[str, Any]
    exit_code: int
    interrupted: bool
    reports: bool
    """Whether the reports were written."""
    jumped: float | None = None
    """Share of the simulated time that was jumped over; None where all was played."""


JUMPS_PAY_FROM = 500.0
"""Requests a second from which on quiet stretches are looked for. Assumption, between two measurements of benchmarks/quiet_stretches.py: at
up to 90 looking costs more than a jump saves, at 2,000 a day takes a sixth of the time."""


def jumps_by_default(scenario: Scenario, replications: int) -> bool:
    """Whether quiet stretches are jumped over where nobody said: several days with a heavy load, by its mean over the day."""
    from gameday.arrivals import rate_at

    moments = [scenario.duration * (part + 0.5) / 24.0 for part in range(24)]
    rates = (rate_at(one.rate, at) for one in scenario.load.classes.values() if one.rate is not None for at in moments)
    return replications > 1 and sum(rates) / len(moments) >= JUMPS_PAY_FROM


def play_game_day(request: Request, progress: Progress) -> Finished:
    """Play and write. GamedayError when the folder cannot be written or a worker dies, Interrupted when nothing was finished.

    What was finished is written also when the playing ends in an error.
    """
    from gameday.interrupts import Interrupts
    from gameday.runfolder import RunFolder
    from gameday.scenario import dump
    from gameday.scores.aggregate import Aggregate

    started = datetime.now(UTC)
    made_here = request.out is None or not request.out.exists()
    folder = RunFolder.create(request.results, request.scenario.name, request.seed, started, request.out, force=request.force)
    with Interrupts() as interrupts:
        run = _Run(request, folder, started, Aggregate(request.scenario, request.seed), interrupts)
        failure: Exception | None = None
        try:
            folder.write_record(_record(request, started))
            folder.write_text(folder.scenario, dump(request.scenario))
            run.play(progress)
        except KeyboardInterrupt:
            interrupts.taken()
            run.interrupted = True
        except Exception as error:  # noqa: BLE001 - it is raised again below, once what was finished is safe
            failure = error
        finally:
            progress.close()
        if not run.kept:
            _leave(folder, made_here=made_here)
            raise failure or Interrupted("interrupted before the first replication was finished; nothing was kept")
        return run.finish(failure)


@dataclass(slots=True)
class _Run:
    """A run while it is played."""

    request: Request
    folder: RunFolder
    started: datetime
    aggregate: Aggregate
    interrupts: Interrupts
    kept: dict[int, Played] = field(default_factory=dict)
    """The lowest replication that is finished, with its record, and the worst so far."""
    interrupted: bool = False
    jumped: float = 0.0
    """Days that were jumped over, in all."""

    def play(self, progress: Progress) -> None:
        """Add up the scores, each replication's whole or not at all."""
        from gameday.replication import play

        request = self.request
        end_s = inf if request.within_s is None else monotonic() + request.within_s

        def in_time() -> bool:
            return monotonic() < end_s

        played_in_time = play(request.scenario, request.seed, request.replications, request.jobs, in_time, quiet=request.quiet)
        with closing(played_in_time) as finished:
            for played in finished:
                with self.interrupts.held():
                    self._keep(played)
                    progress.step()

    def _keep(self, played: Played) -> None:
        self.aggregate.add(played.scores)
        self.jumped += played.jumped
        self.kept[played.replication] = played
        first = min(self.kept)
        for replication in set(self.kept) - {first, *self.aggregate.worst()}:
            del self.kept[replication]
        for replication in set(self.kept) - {first}:
            self.kept[replication] = replace(self.kept[replication], recording=None)

    def finish(self, failure: Exception | None) -> Finished:
        """Write what was played, then the reports; a failure is raised after that."""
        reports = False
        try:
            with self.interrupts.held():
                scores = self.aggregate.scores()
                self._write(scores, interrupted=self.interrupted or failure is not None)
                self.kept.clear()  # the reports read it from the folder
            self.interrupts.released()
            if self.request.reports:
                from gameday.report import write_reports

                write_reports(self.folder)
                reports = True
        except KeyboardInterrupt:
            self.interrupted = True
        if isinstance(failure, GamedayError):
            kept = f"{scores['replications']} of {self.request.replications} replications were finished and are kept"
            raise GamedayError(f"{failure}\n{kept} in {self.folder.path}") from failure
        if failure is not None:
            raise failure
        return Finished(self.folder, scores, self.aggregate.exit_code(), self.interrupted, reports, self._jumped(scores))

    def _jumped(self, scores: dict[str, Any]) -> float | None:
        return round(self.jumped / scores["replications"], 4) if self.request.quiet else None

    def _write(self, scores: dict[str, Any], *, interrupted: bool) -> None:
        """`run.json` last, so that it never says more than there is."""
        from gameday.traces import to_bytes

        folder, first = self.folder, self.kept[min(self.kept)]
        folder.write_bytes(folder.timeline, first.timeline)
        if first.recording is not None:
            first.recording.series.write_parquet(folder.series)
            folder.write_bytes(folder.traces, to_bytes(first.recording.traces))
        for replication, played in self.kept.items():
            if replication:
                folder.write_bytes(folder.timeline_of(replication), played.timeline)
        self.aggregate.write_samples(folder.replications)
        folder.write_json(folder.scores, scores)
        record = replace(
            _record(self.request, self.started),
            completed=scores["replications"],
            interrupted=interrupted,
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            timeline_sha256=sha256(first.timeline).hexdigest(),
            jumped=self._jumped(scores),
        )
        folder.write_record(record)


def _leave(folder: RunFolder, *, made_here: bool) -> None:
    """Take away what says only that a run began; a folder that was there before stays."""
    for file in (folder.scenario, folder.run):
        with suppress(OSError):
            file.unlink(missing_ok=True)
    if made_here:
        folder.remove_if_empty()


def _record(request: Request, started: datetime) -> RunRecord:
    """The record of a run that has begun: it counts as interrupted until it has ended."""
    from gameday.runrecord import RunRecord, installed_versions
    from gameday.scenario import digest

    return RunRecord(
        scenario=request.scenario.name,
        scenario_sha256=digest(request.scenario),
        seed=request.seed,
        replications=request.replications,
        completed=0,
        interrupted=True,
        versions=installed_versions(),
        arguments=tuple(request.arguments),
        started=started.isoformat(timespec="seconds"),
    )
