"""`gameday lab`: a real system on this machine, to be broken."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gameday.cli import show, whole_number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Verbs, and which lab."""
    parser.epilog = (
        "The lab's folder is .lab/<name> below the working directory; its logs stay there after 'down' until the next 'up'."
    )
    verbs = parser.add_subparsers(metavar="verb", required=True, dest="verb")
    for verb, summary in (
        ("up", "start the lab and wait until it works"),
        ("status", "what runs, and who is the primary"),
        ("logs", "print the log of one process"),
        ("reset", "undo whatever was done to a lab that is up: all runs, nothing is cut, the first primary has its role again"),
        ("calibrate", "measure the lab and write what was measured as the system file of a scenario"),
        ("down", "end the lab and take its data away"),
    ):
        one = verbs.add_parser(verb, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False)
        one.add_argument("--name", default="default", help="which lab, when several run side by side (default: default)")
        one.add_argument("--dir", type=Path, metavar="FOLDER", help="the lab's folder (default: .lab/<name>)")
        if verb == "logs":
            one.add_argument("process", metavar="NODE", help="process, as 'gameday lab status' names it")
            one.add_argument(
                "--lines", type=lambda text: whole_number(text, 1, 100_000), default=50, help="from the end (default: 50)"
            )
        else:
            one.add_argument("--json", action="store_true", help="print JSON")
        if verb == "calibrate":
            one.add_argument("--out", type=Path, metavar="FILE", help="write the system file there instead of printing it")
        if verb == "up":
            one.add_argument("--synchronous", action="store_true", help="a commit waits for the standby")
            one.add_argument(
                "--rules", type=Path, metavar="FILE", help="start Prometheus with these rules (needs --alertmanager)"
            )
            one.add_argument("--alertmanager", type=Path, metavar="FILE", help="start Alertmanager with this configuration")
            one.add_argument(
                "--scrape",
                type=lambda text: whole_number(text, 1, 3600),
                default=5,
                metavar="SECONDS",
                help="Prometheus's scrape and evaluation interval (default: 5)",
            )
            one.add_argument(
                "--no-traffic-interval",
                type=lambda text: whole_number(text, 1, 3600),
                default=1,
                metavar="SECONDS",
                help="how often a gateway checks hosts it has sent nothing to (default: 1; Envoy's own default is 60)",
            )


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 when it is as asked, 2 with one message otherwise."""
    from gameday.errors import MissingExtra

    if find_spec("psutil") is None:
        raise MissingExtra("gameday lab", "lab")
    control = import_module("experiments.lab.control")
    folder = import_module("experiments.lab.folder").LabFolder.of(arguments.name, arguments.dir)
    if arguments.verb == "logs":
        return _logs(folder, arguments)
    if arguments.verb == "down":
        ended = control.down(folder)
        text = f"lab '{folder.name}' is down: {ended} processes ended" if ended else f"lab '{folder.name}' was not up"
        return _answer({"name": folder.name, "ended": ended}, text, as_json=arguments.json)
    if arguments.verb == "calibrate":
        return _calibrate(folder, arguments)
    if arguments.verb == "up":
        settings = import_module("experiments.lab.settings").Settings(
            synchronous=arguments.synchronous, no_traffic_interval_s=float(arguments.no_traffic_interval)
        )
        texts = _monitoring_files(arguments)
        found = control.up(folder, settings, _Progress(quiet=arguments.json))
        if texts:
            found |= control.start_monitoring(folder, *texts, arguments.scrape)
    elif arguments.verb == "reset":
        found = control.reset(folder, _Progress(quiet=arguments.json))
    else:
        found = control.status(folder)
    return _answer(found, _status_text(folder, found), as_json=arguments.json)


def _monitoring_files(arguments: argparse.Namespace) -> tuple[str, str] | None:
    """Rules and routes, both or none; read before anything is started."""
    from gameday.atomic_files import cannot
    from gameday.errors import GamedayError

    if arguments.rules is None and arguments.alertmanager is None:
        return None
    if arguments.rules is None or arguments.alertmanager is None:
        raise GamedayError("--rules and --alertmanager are given together: alerts without routes reach nobody")
    texts = []
    for file in (arguments.rules, arguments.alertmanager):
        try:
            texts.append(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise cannot("read", file, error) from error
        except UnicodeDecodeError as error:
            raise GamedayError(f"cannot read {file}: it is not UTF-8") from error
    return texts[0], texts[1]


def _calibrate(folder: Any, arguments: argparse.Namespace) -> int:
    """Measure; print or write."""
    from gameday.atomic_files import write_atomically

    found = import_module("experiments.lab.calibrate").calibrate(folder, _Progress(quiet=arguments.json))
    text = import_module("experiments.lab.system_file").system_file(found)
    if arguments.out:
        write_atomically(arguments.out, text.encode())
        text = f"wrote {arguments.out}"
    return _answer(found.as_json(), text, as_json=arguments.json)


def _answer(found: dict[str, Any], text: str, *, as_json: bool) -> int:
    import json

    show(json.dumps(found, indent=2) if as_json else text)
    return 0


class _Progress:
    """One line on standard error, written over on a terminal; a new line only for news elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet, self._before = quiet, ""

    def __call__(self, text: str) -> None:
        news = text.strip().partition("  ")[2] or text
        if self._quiet or (news == self._before and not sys.stderr.isatty()):
            return
        self._before = news
        print(
            f"\r\x1b[K{text}" if sys.stderr.isatty() else text,
            end="" if sys.stderr.isatty() else "\n",
            file=sys.stderr,
            flush=True,
        )


def _status_text(folder: Any, found: dict[str, Any]) -> str:
    states: dict[str, list[str]] = {}
    for name, one in found["processes"].items():
        states.setdefault(one["state"], []).append(name)
    lines = [f"lab '{found['name']}' at 127.{found['block']}.x.x {'works' if found['ready'] else 'does not work'}"]
    lines += [f"  {text}" for text in found["waiting"]]
    for state, names in states.items():
        lines.append(f"  {len(names)} {state}" + ("" if state == "running" else f": {', '.join(names)}"))
    for one in found["database"]:
        lag = f", {one['lag']} bytes behind" if one.get("lag") else ""
        lines.append(f"  {one['name']}: {one['role']}, {one['state']}{lag}")
    lines.append("  " + ", ".join(f"{name} {version}" for name, version in found["versions"].items()))
    lines += [f"  {name}: {found[name]}" for name in ("prometheus", "alertmanager") if name in found]
    lines.append(f"  target file: {folder.target}")
    return "\n".join(lines)


def _logs(folder: Any, arguments: argparse.Namespace) -> int:
    """The end of one process's log; logs outlive the lab."""
    from gameday.errors import GamedayError, nearest, on_one_line

    known = sorted(file.stem for file in folder.logs.glob("*.log"))
    if arguments.process not in known:
        meant = nearest(arguments.process, known)
        hint = f"; did you mean '{meant}'?" if meant else f"; there are {', '.join(known)}" if known else "; there are none"
        raise GamedayError(f"there is no log of '{on_one_line(arguments.process[:60])}' in {folder.logs}{hint}")
    lines = (folder.logs / f"{arguments.process}.log").read_text(encoding="utf-8", errors="replace").splitlines()
    show("\n".join(lines[-arguments.lines :]))
    return 0
