"""`gameday traces`: the stories of single requests of a run, as text or for a tracing system."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.cli import folded, show, whole_number

if TYPE_CHECKING:
    from gameday.traces import Trace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A run and filters."""
    parser.add_argument("run_folder", type=Path, metavar="run", help="run folder of a simulated run")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--lost", action="store_true", help="only requests that were lost")
    which.add_argument("--slowest", type=_count, metavar="N", help="only the N slowest of those that were answered in time")
    parser.add_argument("--class", dest="request_class", metavar="NAME", help="only requests of this class")
    parser.add_argument(
        "--all", action="store_true", help="every trace with its attempts, not one for each way in which requests end"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--otlp", action="store_true", help="print OTLP/JSON, which collectors of OpenTelemetry and Jaeger read")
    how.add_argument("--json", action="store_true", help="print traces as JSON Lines")


def run(arguments: argparse.Namespace) -> int:
    """Choose traces and print them."""
    import json

    from gameday.runfolder import TRACES_FILE, RunFolder
    from gameday.scenario import read_scenario
    from gameday.traces import otlp, read_traces

    folder = RunFolder.open(arguments.run_folder, (TRACES_FILE,))
    traces = read_traces(folder.traces)
    _check_class(traces, arguments.request_class)
    chosen = [trace for trace in traces if arguments.request_class in (None, trace.request_class)]
    if arguments.lost:
        chosen = [trace for trace in chosen if trace.lost]
    if arguments.slowest is not None:
        chosen = sorted((trace for trace in chosen if not trace.lost), key=lambda trace: -trace.latency_s)[: arguments.slowest]
    if arguments.otlp:
        starts_ns = round(read_scenario(folder.scenario).starts.timestamp()) * 10**9
        show(json.dumps(otlp(chosen, starts_ns, folder.path.name), ensure_ascii=False))
    elif arguments.json:
        for trace in chosen:
            show(trace.line())
    else:
        _print(chosen, everything=arguments.all or arguments.slowest is not None)
    return 0


def _print(traces: list[Trace], *, everything: bool) -> None:
    """Each with its attempts; unless asked for everything one of each class and fate, the slowest of those that were answered."""
    from gameday.traces import headline, story
    from gameday.units import format_duration

    shown = traces if everything else _examples(traces)
    for trace in shown:
        show(folded(f"{format_duration(round(trace.began, 1)):>10}  {headline(trace)}"))
        for line in story(trace):
            show(folded(f"            {line}"))
    if not shown:
        show("no such request was traced")
    elif len(shown) < len(traces):
        show(f"\n{len(shown)} of {len(traces)} traces; --all shows every one")


def _examples(traces: list[Trace]) -> list[Trace]:
    """One of each class and fate."""
    kinds: dict[tuple[str, str], Trace] = {}
    for trace in traces:
        kind = (trace.request_class, trace.outcome)
        if kind not in kinds or (not trace.lost and trace.latency_s > kinds[kind].latency_s):
            kinds[kind] = trace
    return list(kinds.values())


def _check_class(traces: list[Trace], name: str | None) -> None:
    """A class that does not exist would otherwise look like one that nobody asked for."""
    from gameday.errors import BadInput, Problem, nearest

    known = sorted({trace.request_class for trace in traces})
    if name is not None and name not in known:
        raise BadInput(
            [Problem(None, None, None, "--class", name, f"has no trace; there are {', '.join(known)}", nearest(name, known))]
        )


def _count(text: str) -> int:
    return whole_number(text, 1, 1_000_000)
