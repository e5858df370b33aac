"""`gameday compare`: two runs side by side, or two policies played on the same seeds until the answer is clear."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.cli import add_jobs, add_kpis, add_seed, add_set, played_with, share, show, whole_number

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two runs, or a scenario and what is changed in it."""
    parser.add_argument("before", type=Path, help="run folder, or scenario file")
    parser.add_argument("after", type=Path, nargs="?", help="run folder, or scenario file; not needed with --set")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="two runs: also write it as a page")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="two runs: also write it as Markdown")
    playing = parser.add_argument_group("two policies")
    add_set(playing, "what is changed in the second")
    add_kpis(playing, "what must become clear (default: the gates)")
    playing.add_argument(
        "--most",
        type=lambda text: whole_number(text, 2, 1_000_000),
        default=256,
        metavar="N",
        help="stop at N replications (default 256)",
    )
    playing.add_argument(
        "--same-within", type=share, default=0.05, metavar="SHARE", help="change nobody cares about (default 5%%)"
    )
    add_seed(playing)
    add_jobs(playing)


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison; it informs, so it exits with 0 whatever it shows."""
    if arguments.overrides or arguments.before.is_file():
        return _policies(arguments)
    return _runs(arguments)


def _runs(arguments: argparse.Namespace) -> int:
    import json

    from gameday.atomic_files import write_atomically
    from gameday.compare import compare
    from gameday.errors import GamedayError
    from gameday.report.comparison import comparison_html, comparison_markdown, comparison_text
    from gameday.runfolder import RunFolder

    before = RunFolder.open(arguments.before)
    if arguments.after is None:
        raise GamedayError(f"gameday compare {arguments.before}: name a second run folder to compare it with")
    comparison = compare(before, RunFolder.open(arguments.after))
    show(json.dumps(comparison.as_json(), indent=2, ensure_ascii=False) if arguments.json else comparison_text(comparison))
    if arguments.html:
        write_atomically(arguments.html, comparison_html(comparison).encode())
    if arguments.markdown:
        write_atomically(arguments.markdown, comparison_markdown(comparison).encode())
    return 0


def _policies(arguments: argparse.Namespace) -> int:
    import json

    from gameday.errors import GamedayError
    from gameday.scenario import read_scenario
    from gameday.study.duel import duel_json, duel_text
    from gameday.study.kpis import chosen_kpis
    from gameday.study.sequential import Duel, until_clear

    if arguments.html or arguments.markdown:
        raise GamedayError("gameday compare: --html and --markdown are for two run folders")
    if arguments.after is None and not arguments.overrides:
        raise GamedayError(f"gameday compare {arguments.before}: say what is changed with --set, or name a second scenario file")
    before: Scenario = read_scenario(arguments.before)
    after: Scenario = read_scenario(arguments.after or arguments.before, arguments.overrides)
    duel = Duel(chosen_kpis(before, arguments.kpis, str(arguments.before)), arguments.most, arguments.same_within)
    interrupted = False
    try:
        with played_with(arguments.jobs, 2 * arguments.most, "replications at most") as (workers, step):
            for _ in until_clear(before, after, duel, arguments.seed, workers, step):
                pass
    except KeyboardInterrupt:
        interrupted = True
    if arguments.json:
        show(json.dumps(duel_json(duel, before, after), indent=2, ensure_ascii=False))
    else:
        show(duel_text(duel, before, after))
    if interrupted:
        print("interrupted: what is shown is from the replications that were finished", file=sys.stderr)
    return 130 if interrupted else 0
