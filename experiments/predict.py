"""The prediction of a live day: the scenario simulated many times, its KPIs and stage times registered before anything is broken.

The rule that surprises: the simulation is a run folder of its own inside that of the day, so `gameday report` and `gameday compare` read it
like any other. The simulator runs in processes of its own, for it must not share one with Chaos Toolkit's signals.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from gameday.errors import GamedayError
from gameday.prediction import registered, stage_times
from gameday.replication import play
from gameday.runfolder import RunFolder
from gameday.runrecord import RunRecord, installed_versions
from gameday.scenario import digest, dump, read_played
from gameday.scores.aggregate import Aggregate
from gameday.timeline_files import parse_timeline

TIMEOUT_S = 1800.0


def predict(folder: RunFolder, seed: int, replications: int, jobs: int) -> dict[str, Any]:
    """Simulate in another process and register; the content of `prediction.json`. GamedayError when it fails."""
    command = [sys.executable, "-m", "experiments.predict", str(folder.path), str(seed), str(replications), str(jobs)]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603
    if ended.returncode:
        raise GamedayError(f"the prediction could not be made: {ended.stderr.strip()[-2000:] or ended.returncode}")
    found = json.loads(folder.prediction.read_text(encoding="utf-8"))
    assert isinstance(found, dict), "a prediction is a mapping"
    return found


def register(folder: RunFolder, seed: int, replications: int, jobs: int, now: Callable[[], datetime]) -> None:
    """Play, write the run folder of the simulation, then `prediction.json`."""
    scenario = read_played(folder.scenario)
    inner = RunFolder.create(folder.path, scenario.name, seed, now(), folder.predicted)
    record = RunRecord(
        scenario=scenario.name,
        scenario_sha256=digest(scenario),
        seed=seed,
        replications=replications,
        completed=0,
        interrupted=True,
        versions=installed_versions(),
        arguments=("run", str(folder.scenario), "--seed", str(seed), "--replications", str(replications)),
        started=now().isoformat(timespec="seconds"),
    )
    inner.write_record(record)
    inner.write_text(inner.scenario, dump(scenario))
    aggregate, stages, lowest = Aggregate(scenario, seed), {}, replications
    with closing(play(scenario, seed, replications, jobs)) as played:
        for each in played:
            aggregate.add(each.scores)
            stages[each.replication] = stage_times(parse_timeline(each.timeline, "prediction"))
            if each.replication < lowest and each.recording is not None:
                lowest = each.replication
                inner.write_bytes(inner.timeline, each.timeline)
                each.recording.series.write_parquet(inner.series)
    aggregate.write_samples(inner.replications)
    inner.write_json(inner.scores, aggregate.scores())
    finished = now().isoformat(timespec="seconds")
    inner.write_record(
        replace(
            record,
            completed=replications,
            interrupted=False,
            finished=finished,
            timeline_sha256=sha256(inner.timeline.read_bytes()).hexdigest(),
        )
    )
    kpis = {name: list(samples.values) for name, samples in aggregate.samples.items()}
    content = registered(scenario.name, digest(scenario), seed, finished, kpis, [stages[number] for number in sorted(stages)])
    folder.write_json(folder.prediction, content)


if __name__ == "__main__":
    path, root, days, processes = sys.argv[1:]
    register(RunFolder(Path(path)), int(root), int(days), int(processes), lambda: datetime.now(UTC))
