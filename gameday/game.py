"""Plays a game day from scenario to run folder: replications, scores, record, reports.

Everything is written at the end, file by file and each at once or not at all; an interrupt ends the playing, not the writing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gameday.progress import Progress

if TYPE_CHECKING:
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
    reports: bool = True
    force: bool = False
    results: Path = Path("results")


@dataclass(frozen=True, slots=True)
class Finished:
    """A written run."""

    folder: RunFolder
    scores: dict[str, Any]
    exit_code: int
    interrupted: bool


def play_game_day(request: Request, progress: Progress) -> Finished:
    """Play and write. Raises GamedayError when the folder cannot be written, KeyboardInterrupt when nothing was finished."""
    from gameday.runfolder import RunFolder
    from gameday.scenario import dump
    from gameday.scores.aggregate import Aggregate

    started = datetime.now(UTC)
    folder = RunFolder.create(
        request.results, request.scenario.name, request.seed, started, request.out, force=request.force
    )
    folder.write_record(_record(request, started))
    folder.write_text(folder.scenario, dump(request.scenario))
    aggregate = Aggregate(request.scenario, request.seed)
    kept: dict[int, Played] = {}
    interrupted = False
    try:
        _play_all(request, aggregate, kept, progress)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        progress.close()
    if not kept:
        raise KeyboardInterrupt
    scores = aggregate.scores()
    _write(request, folder, aggregate, scores, kept, started, interrupted=interrupted)
    if request.reports:
        from gameday.report import write_reports

        write_reports(folder)
    return Finished(folder, scores, aggregate.exit_code(), interrupted)


def _play_all(request: Request, aggregate: Aggregate, kept: dict[int, Played], progress: Progress) -> None:
    """Add up the scores; keep the record of the first replication and of the worst so far."""
    from gameday.replication import play

    for played in play(request.scenario, request.seed, request.replications, request.jobs):
        aggregate.add(played.scores)
        kept[played.replication] = played
        for replication in set(kept) - {0, *aggregate.worst()}:
            del kept[replication]
        progress.step()


def _write(
    request: Request,
    folder: RunFolder,
    aggregate: Aggregate,
    scores: dict[str, Any],
    kept: dict[int, Played],
    started: datetime,
    *,
    interrupted: bool,
) -> None:
    """Write what was played; `run.json` last, so that it never says more than there is."""
    from dataclasses import replace
    from hashlib import sha256

    first = kept.get(0) or next(iter(kept.values()))
    folder.write_bytes(folder.timeline, first.timeline)
    if first.recording is not None:
        first.recording.series.write_parquet(folder.series)
    for replication, played in kept.items():
        if replication != first.replication:
            folder.write_bytes(folder.timeline_of(replication), played.timeline)
    aggregate.write_samples(folder.replications)
    folder.write_json(folder.scores, scores)
    record = replace(
        _record(request, started),
        completed=scores["replications"],
        interrupted=interrupted,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        timeline_sha256=sha256(first.timeline).hexdigest(),
    )
    folder.write_record(record)


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
