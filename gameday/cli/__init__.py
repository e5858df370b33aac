"""The command line: one file per command, imported only when it is used.

Exit codes are part of the interface: 0 objectives met, 1 not met, 2 bad input, 3 inconclusive, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, NoReturn

from gameday import __version__
from gameday.errors import on_one_line

if TYPE_CHECKING:
    from gameday.replication import Workers

COMMANDS = {
    "new": "start a game day from a shipped one",
    "validate": "find every problem in scenario files",
    "schema": "print the JSON Schema of scenario files, for editors",
    "describe": "show what is in a scenario: system, schedule, people, objectives, blast radius",
    "run": "simulate a game day and score it",
    "live": "play a game day on a real system, against a registered prediction",
    "abort": "heal every running live day now, and refuse new ones",
    "rearm": "let live days run again after abort",
    "heal": "undo what a live day that crashed has left in place",
    "ack": "take a page of a live day that is going on",
    "say": "publish a message of a live day that is going on",
    "steer": "act on the system of a live day that is going on, or approve what waits",
    "report": "rebuild the reports of a run",
    "timeline": "read the record of a run",
    "traces": "tell the story of single requests of a run, slow and lost ones",
    "compare": "set two runs side by side, or two policies on the same seeds",
    "practices": "measure what a practice is worth: the same days with and without it",
    "study": "play a design of settings until the answers are tight, and write the report",
    "pareto": "show which points of a study nothing beats",
    "sensitivity": "show what each factor of a study does",
    "availability": "say how much of the long run each service is down, from what fails by itself",
    "power": "say how many replications it takes to see a change",
    "check": "hold game days against their baselines; the gate of a CI pipeline",
    "lab": "a real system on this machine, to be broken: up, status, logs, calibrate, down",
    "import": "read alert rules and routes from files of Prometheus and Alertmanager",
    "export": "write a scenario, or part of it, for another tool: Prometheus, Alertmanager, Chaos Toolkit, Locust",
    "fit": "fit the times of people from an export of your pager",
    "clocks": "show which notices are due by law, from the timestamps of an incident",
    "warmup": "compile the traffic engine ahead of the first run",
}
"""Commands in the order in which a newcomer meets them."""

MODULES = {"import": "importing"}
"""Files of commands whose name cannot be that of a module."""

EPILOG = """\
exit codes: 0 objectives met, 1 not met, 2 bad input, 3 inconclusive (evidence missing), 130 interrupted

start here: gameday new my-day --from region-loss && gameday run my-day.yaml
"""


def run_command(arguments: Sequence[str]) -> int:
    """Parse the arguments and run the command; errors the user can mend become one message and exit code 2."""
    from gameday.errors import GamedayError

    _make_streams_usable()
    try:
        code = _run(arguments)
    except GamedayError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except OSError as error:
        print(f"gameday: the operating system refused: {error}", file=sys.stderr)
        return 2
    return code


def show(text: str, end: str = "\n") -> None:
    """Print on standard output. Once nobody reads it any more (`| head`), printing does nothing, and the exit code stays true."""
    try:
        print(text, end=end)
    except BrokenPipeError:
        _reader_has_gone()
    except OSError as error:
        raise _cannot_print(error) from error


def columns(otherwise: int) -> int:
    """Columns of the terminal that is written to, at least 60; `otherwise` where it is none."""
    import shutil

    return max(60, shutil.get_terminal_size().columns) if sys.stdout.isatty() else otherwise


def folded(line: str) -> str:
    """A line for a terminal, at most as wide as that; what goes on is indented. Elsewhere what was one line stays one."""
    from textwrap import fill

    width = columns(0)
    return fill(line, width, subsequent_indent=" " * 14, break_on_hyphens=False) if width else line


def whole_number(text: str, least: int, most: int) -> int:
    """The number an argument says. ArgumentTypeError, which becomes a message and exit code 2, for anything else."""
    if re.fullmatch(r"[-+]?[0-9]{1,30}", text) and least <= int(text) <= most:
        return int(text)
    raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, not '{on_one_line(text[:60])}'")


def add_jobs(parser: argparse._ActionsContainer) -> None:
    """`--jobs`, the same for all commands that play."""
    parser.add_argument(
        "--jobs",
        type=lambda text: whole_number(text, 1, 1_000_000),
        default=_cores(),
        metavar="N",
        help="processes (default: all cores)",
    )


def add_set(parser: argparse._ActionsContainer, what: str = "change a setting") -> None:
    """`--set`, the same for all commands that read a scenario."""
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="PATH=VALUE", help=what)


def add_kpis(parser: argparse._ActionsContainer, what: str) -> None:
    """`--kpi`, of commands that ask about some."""
    parser.add_argument("--kpi", dest="kpis", action="append", default=[], metavar="KPI", help=what)


def add_seed(parser: argparse._ActionsContainer) -> None:
    """`--seed`, of commands that play."""
    parser.add_argument("--seed", type=seed, default=1, help="root of all randomness (default 1)")


@contextmanager
def played_with(jobs: int, most: int, what: str = "replications") -> Iterator[tuple[Workers, Callable[[], None]]]:
    """Worker processes, and what to call after each replication; progress out of `most`. An interrupt is a KeyboardInterrupt inside."""
    from gameday.interrupts import Interrupts
    from gameday.progress import Progress
    from gameday.replication import Workers

    progress = Progress(sys.stderr, most, what)
    try:
        with Interrupts(), Workers(jobs) as workers:
            yield workers, progress.step
    finally:
        progress.close()


def seed(text: str) -> int:
    """A root of randomness."""
    return whole_number(text, 0, 2**63 - 1)


def duration(text: str) -> float:
    """A time such as `90s`, above 0, in seconds. ArgumentTypeError for anything else."""
    from gameday.units import UnitError, parse_duration

    try:
        found = parse_duration(text)
    except UnitError as problem:
        raise argparse.ArgumentTypeError(f"{problem}, not '{on_one_line(text[:60])}'") from None
    if found <= 0:
        raise argparse.ArgumentTypeError(f"must be longer than 0s, not '{on_one_line(text[:60])}'")
    return found


def share(text: str) -> float:
    """A share such as `5%`, 0 or more. ArgumentTypeError for anything else."""
    from gameday.units import UnitError, parse_ratio

    try:
        return parse_ratio(text)
    except UnitError as problem:
        raise argparse.ArgumentTypeError(f"{problem}, not '{on_one_line(text[:60])}'") from None


def positive_share(text: str) -> float:
    """A share above 0."""
    found = share(text)
    if found <= 0:
        raise argparse.ArgumentTypeError(f"must be above 0, not '{on_one_line(text[:60])}'")
    return found


def _cores() -> int:
    """Cores this process may use: fewer than the machine has where `taskset` or a batch system says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run(arguments: Sequence[str]) -> int:
    parsed = _parser(arguments).parse_args(arguments)
    code: int = parsed.run(parsed)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _reader_has_gone()
    except OSError as error:
        raise _cannot_print(error) from error
    return code


def _make_streams_usable() -> None:
    """A closed stream (`>&-`) is Python's None; an encoding without some letter gets '?' instead of a crash."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - open until the process ends
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _reader_has_gone() -> None:
    """Python would complain once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _cannot_print(error: OSError) -> Exception:
    from pathlib import Path

    from gameday.atomic_files import cannot

    with suppress(OSError):
        _reader_has_gone()
    return cannot("write", Path("standard output"), error)


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help with every command on one line with what it does."""

    def __init__(self, prog: str) -> None:
        """argparse makes room for options and forgets the indent of commands."""
        super().__init__(prog, max_help_position=20)
        self._action_max_length = 4 + max(map(len, COMMANDS))


class _Parser(argparse.ArgumentParser):
    """Names the nearest word for one that is not known."""

    def error(self, message: str) -> NoReturn:
        """Usage and message on standard error, exit code 2."""
        unknown = message.partition("invalid choice: '")[2].partition("'")[0]
        if unknown:
            from gameday.errors import nearest

            of_command = message.startswith("argument command")
            words = list(COMMANDS) if of_command else _choices(message)
            meant = nearest(unknown, words)
            hint = f"; did you mean '{meant}'?" if meant else f"; {'commands' if of_command else 'there are'}: {', '.join(words)}"
            message = f"there is no {'command' if of_command else message.split()[1].rstrip(':')} '{unknown}'{hint}"
        super().error(message)


def _choices(message: str) -> list[str]:
    """The words that argparse would have taken."""
    return re.findall(r"[\w-]+", message.partition("choose from ")[2])


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the command that is asked for adds its own arguments, which keeps `--help` quick."""
    parser = _Parser(
        prog="gameday",
        description="Rehearse outages: write a game day once, simulate it, score it, read what would go wrong and why.",
        epilog=EPILOG,
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"gameday {__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        description = summary[0].upper() + summary[1:] + "."
        command = commands.add_parser(name, help=summary, description=description, allow_abbrev=False)
        if name == wanted:
            module = import_module(f"gameday.cli.{MODULES.get(name, name)}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser
