"""The command line: one file per command, imported only when it is used.

Exit codes are part of the interface: 0 objectives met, 1 not met, 2 bad input, 3 inconclusive, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

from gameday import __version__

COMMANDS = {
    "new": "start a game day from a shipped one",
    "validate": "find every problem in scenario files",
    "schema": "print the JSON Schema of scenario files, for editors",
    "describe": "show what is in a scenario: system, schedule, people, objectives, blast radius",
    "run": "simulate a game day and score it",
    "report": "rebuild the reports of a run",
    "timeline": "read the record of a run",
    "compare": "set two runs side by side, KPI by KPI",
    "warmup": "compile the traffic engine ahead of the first run",
}
"""Commands in the order in which a newcomer meets them."""

EPILOG = """\
exit codes: 0 objectives met, 1 not met, 2 bad input, 3 inconclusive (evidence missing), 130 interrupted

start here: gameday new my-day --from region-loss && gameday run my-day.yaml
"""


def run_command(arguments: Sequence[str]) -> int:
    """Parse the arguments and run the command; errors the user can mend become one message and exit code 2."""
    from gameday.errors import GamedayError

    try:
        parsed = _parser(arguments).parse_args(arguments)
        code: int = parsed.run(parsed)
        sys.stdout.flush()
    except GamedayError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the command that is asked for adds its own arguments, which keeps `--help` quick."""
    parser = argparse.ArgumentParser(
        prog="gameday",
        description="Rehearse outages: write a game day once, simulate it, score it, read what would go wrong and why.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gameday {__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if name == wanted:
            module = import_module(f"gameday.cli.{name}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser
