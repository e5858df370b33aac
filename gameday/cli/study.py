"""`gameday study`: play a design of settings until the answers are tight, and write the report.

Ctrl-C, a budget that is spent, and `kill -9` keep what was finished; `--resume` goes on from there.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.cli import add_jobs, show

if TYPE_CHECKING:
    from gameday.cluster import Cluster
    from gameday.replication import Workers
    from gameday.study.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A study file and how to play it."""
    parser.add_argument("study", type=Path, help="study file")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the study (default: results/<name of the study>)")
    parser.add_argument("--resume", action="store_true", help="go on with what is in the folder")
    parser.add_argument("--budget", type=_duration, metavar="TIME", help="longest time to play, e.g. 10m")
    add_jobs(parser)
    parser.add_argument("--cluster", metavar="ADDRESS", help="play on the workers of a Dask scheduler, e.g. tcp://scheduler:8786")
    parser.add_argument("--json", action="store_true", help="print the answers as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Play, write, print. 130 when interrupted, else 0: a study informs."""
    from gameday.interrupts import Interrupts
    from gameday.progress import Progress
    from gameday.study.model import read_study
    from gameday.study.running import Playing, identity_of
    from gameday.study.store import Store

    file = read_study(arguments.study)
    store = Store.create(arguments.out or Path("results") / file.study.name, identity_of(file), resume=arguments.resume)
    budget = arguments.budget if arguments.budget is not None else file.study.budget
    progress = Progress(sys.stderr, 1, "replications")
    interrupted = False
    try:
        with Interrupts(), _workers(arguments) as workers:
            playing = Playing(file, store, workers, progress.step, budget)
            playing.play()
    except KeyboardInterrupt:
        interrupted = True
        store.finish()
    finally:
        progress.close()
    return _finish(arguments, store, interrupted=interrupted, out_of_time=playing.out_of_time)


def _workers(arguments: argparse.Namespace) -> Workers | Cluster:
    if arguments.cluster:
        from gameday.cluster import Cluster

        cluster = Cluster(arguments.cluster)
        if cluster.cold:
            what = "compile the traffic engine first, some twenty seconds of a core each; gameday warmup on their machines does it ahead"
            print(f"{cluster.cold} of {cluster.width} workers {what}", file=sys.stderr)
        return cluster
    from gameday.replication import Workers

    return Workers(arguments.jobs)


def _finish(arguments: argparse.Namespace, store: Store, *, interrupted: bool, out_of_time: bool) -> int:
    import json

    from gameday.study.answers import Answers
    from gameday.study.model import read_study
    from gameday.study.report import study_json, study_text, write_study_report

    if not store.rows:
        print("interrupted before the first replication was finished; nothing was kept", file=sys.stderr)
        return 130
    answers = Answers.of(read_study(arguments.study).study, store)
    write_study_report(answers, store.folder)
    show(json.dumps(study_json(answers), indent=2, ensure_ascii=False) if arguments.json else study_text(answers))
    if not arguments.json:
        show(f"\ntable   {store.folder / 'replications.parquet'}\nreport  {store.folder / 'report.html'}")
    if interrupted or out_of_time:
        why = "interrupted" if interrupted else "the budget is spent"
        print(f"{why}: {len(store.rows)} replications are kept in {store.folder}; --resume goes on", file=sys.stderr)
    return 130 if interrupted else 0


def _duration(text: str) -> float:
    from gameday.units import UnitError, parse_duration

    try:
        return parse_duration(text)
    except UnitError as problem:
        raise argparse.ArgumentTypeError(f"{problem}, not '{text[:60]}'") from None
