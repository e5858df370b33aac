"""The end of a live day: heal what is left, prove the steady state, write the record, score it, hold it against the prediction.

It is also what `gameday heal` does with the folder of a day whose controller died.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from experiments.healing import Healer
from experiments.inventory import Inventory
from experiments.put_back import put_back
from experiments.recording import record
from experiments.rollbacks import RollbackPlan
from experiments.safety.steady import unsteady
from experiments.verdict import Circumstances, Word, generator_problems, judged
from gameday.load_stream import LoadStream
from gameday.prediction import Against, against
from gameday.runfolder import RunFolder
from gameday.runrecord import RunRecord
from gameday.scores import replication_scores, score
from gameday.scores.aggregate import Aggregate
from gameday.scores.objectives import EXIT_CODES

INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Finished:
    """A day that was written down."""

    folder: RunFolder
    scores: dict[str, Any]
    verdict: Word
    reasons: list[str]
    against: Against
    exit_code: int


def finish(
    folder: RunFolder,
    run: RunRecord,
    inventory: Inventory,
    plan: RollbackPlan,
    circumstances: Circumstances,
    *,
    prediction: Mapping[str, Any],
    reports: bool,
    tell: Callable[[str], None],
    beat: Callable[[], None] = lambda: None,
) -> Finished:
    """Heal, prove, record, score, compare, report."""
    if plan.open():
        tell("healing what is left")
        circumstances.not_healed = Healer(plan.path).heal()[1]
    circumstances.not_healed = [*circumstances.not_healed, *put_back(folder.live)]
    beat()
    circumstances.not_steady_after = unsteady(inventory, inventory.target.guards.recover_within)
    beat()
    recording = record(folder.live, inventory.scenario)
    card = score(recording, inventory.scenario)
    aggregate = Aggregate(inventory.scenario, run.seed)
    aggregate.add(replication_scores(card, recording, inventory.scenario, 0))
    stream = LoadStream(folder.live)
    stream.read()
    scores = aggregate.scores()
    verdict, reasons = judged(aggregate.verdict(), circumstances, generator_problems(stream))
    scores["verdict"] = verdict
    timeline = recording.timeline.to_bytes()
    folder.write_bytes(folder.timeline, timeline)
    recording.series.write_parquet(folder.series)
    aggregate.write_samples(folder.replications)
    folder.write_json(folder.scores, scores)
    compared = against(prediction, scores, recording.timeline)
    folder.write_json(folder.verdict, {"verdict": verdict, "reasons": reasons, "outside": [row.name for row in compared.outside]})
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    folder.write_record(
        replace(run, interrupted=circumstances.interrupted, finished=finished, timeline_sha256=sha256(timeline).hexdigest())
    )
    if reports:
        from gameday.report import write_reports

        write_reports(folder)
    code = INTERRUPTED if circumstances.interrupted and verdict != "not_met" else EXIT_CODES[verdict]
    return Finished(folder, scores, verdict, reasons, compared, code)
