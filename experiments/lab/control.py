"""Starting, asking and stopping a lab from outside its supervisor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from experiments.calls import CallError, call
from experiments.lab.database import node_name
from experiments.lab.folder import LabFolder
from experiments.lab.layout import (
    DNS_CONTROL_PORT,
    FIRST_BLOCK,
    LAST_BLOCK,
    PATRONI_PORT,
    PUBLIC_NAME,
    REGIONS,
    RELAY_PORT,
    SUPERVISOR_PORT,
    Layout,
)
from experiments.lab.plan import public_record
from experiments.lab.programs import find_programs
from experiments.lab.settings import Settings
from gameday.errors import GamedayError

UP_WITHIN_S: Final = 180.0
"""A lab that does not work by then is ended again. It takes some 20 s on two idle cores."""
DOWN_WITHIN_S: Final = 40.0
ASK_WITHIN_S: Final = 60.0
SWITCHED_WITHIN_S: Final = 60.0
_SUPERVISOR_ANSWERS_WITHIN_S: Final = 30.0


class NoSupervisorError(GamedayError):
    """The lab's supervisor does not answer."""


def up(folder: LabFolder, settings: Settings, say: Callable[[str], None]) -> dict[str, Any]:
    """Start the lab and wait until it works; its status. A lab that runs already is left as it is.

    `say` is told what is waited for. GamedayError when it does not work in time, with what to look at.
    """
    programs = find_programs()
    running = _running(folder)
    if running is not None:
        if running["settings"] != settings.as_json():
            raise GamedayError(
                f"lab '{folder.name}' is up with other settings ({_words(running['settings'])}); 'gameday lab down' first"
            )
        return _wait(folder, say, None)
    left = folder.sweep()
    if left:
        say(f"ended {left} processes that a lab without supervisor had left; its data is gone")
    folder.make()
    layout = _free_block()
    folder.write_state(
        {
            "name": folder.name,
            "block": layout.block,
            "settings": settings.as_json(),
            "programs": {name: str(getattr(programs, name)) for name in ("postgres", "etcd", "envoy")},
            "versions": dict(programs.versions),
        }
    )
    with (folder.logs / "supervisor.log").open("ab") as log:
        supervisor = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "experiments.lab.supervisor", str(folder.path), folder.name],
            cwd=folder.data,
            env=os.environ | {"PYTHONPATH": _python_path()},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return _wait(folder, say, supervisor)
    except BaseException:
        down(folder)
        raise


def down(folder: LabFolder) -> int:
    """End the lab and take its files away, logs excepted; how many processes ran. Nothing happens when there is no lab."""
    ended = 0
    try:
        ended = sum(one["pid"] is not None for one in ask(folder, "GET", "/processes").values())
        ask(folder, "POST", "/shutdown")
        _until(lambda: not folder.leftovers(), DOWN_WITHIN_S)
    except GamedayError:
        pass
    ended = max(ended, folder.sweep())
    folder.clear(keep_logs=True)
    return ended


def status(folder: LabFolder) -> dict[str, Any]:
    """What the supervisor says. GamedayError when there is no lab or nobody supervises it, with what to do."""
    if folder.read_state() is None:
        raise GamedayError(f"there is no lab '{folder.name}' in {folder.path}; 'gameday lab up' starts one")
    try:
        return ask(folder, "GET", "/status")
    except NoSupervisorError as error:
        left = len(folder.leftovers())
        raise GamedayError(
            f"lab '{folder.name}' has lost its supervisor, and {left} processes are left: 'gameday lab up' starts it afresh, "
            "'gameday lab down' cleans up"
        ) from error


def reset(folder: LabFolder, say: Callable[[str], None]) -> dict[str, Any]:
    """Bring a lab that is up back to how it began: everything runs, nothing is cut or slowed, the primary is where it was first.

    Its status; data stays. GamedayError when it cannot be done in time.
    """
    found = status(folder)
    layout = Layout(found["block"])
    ask(folder, "DELETE", "/monitoring")
    for name, one in found["processes"].items():
        if one["share"] != 1.0:
            ask(folder, "POST", f"/processes/{name}/throttle?share=1")
        if one["state"] != "running" and name not in {"prometheus", "alertmanager"}:
            say(f"starting {name}")
            ask(folder, "POST", f"/processes/{name}/resume")
            ask(folder, "POST", f"/processes/{name}/restart")
    _tell("POST", f"http://{layout.relay}:{RELAY_PORT}/reset")
    dns = f"http://{layout.dns}:{DNS_CONTROL_PORT}"
    _tell("POST", f"{dns}/mend")
    _tell("PUT", f"{dns}/records/{PUBLIC_NAME}", public_record(layout))
    _wait(folder, say, None)
    first, second = (node_name(layout, region) for region in REGIONS)
    if first not in _leaders(folder):
        say(f"making {first} the primary again")
        hosts = [f"http://{layout.database(region)}:{PATRONI_PORT}" for region in REGIONS]
        _tell("POST", f"{hosts[0]}/switchover", {"leader": second, "candidate": first})
        if not _until(lambda: first in _leaders(folder), SWITCHED_WITHIN_S):
            raise GamedayError(f"{first} did not become the primary; 'gameday lab down' and 'up' start afresh")
    return _wait(folder, say, None)


def _leaders(folder: LabFolder) -> list[str]:
    return [one["name"] for one in ask(folder, "GET", "/status")["database"] if one["role"] == "leader"]


def _tell(method: str, url: str, body: dict[str, Any] | None = None) -> None:
    """A request to a part of the lab that is not its supervisor."""
    try:
        call(method, url, body, timeout_s=ASK_WITHIN_S)
    except CallError as error:
        raise GamedayError(f"the lab cannot be reset: {error}; 'gameday lab down' and 'up' start afresh") from error


def start_monitoring(folder: LabFolder, rules: str, alertmanager: str, scrape_s: int) -> dict[str, Any]:
    """Start Prometheus and Alertmanager in the lab with these files (texts), or start them again with others; their addresses.

    GamedayError when they are not installed or refuse a file. The addresses are in target.yaml afterwards.
    """
    return ask(folder, "PUT", "/monitoring", {"rules": rules, "alertmanager": alertmanager, "scrape_s": scrape_s})


def ask(folder: LabFolder, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One request to the supervisor. NoSupervisorError when nobody answers; GamedayError with its words when it refuses."""
    state = folder.read_state()
    if state is None:
        raise NoSupervisorError(f"there is no lab '{folder.name}' in {folder.path}")
    request = urllib.request.Request(
        f"http://{Layout(state['block']).supervisor}:{SUPERVISOR_PORT}{path}",
        None if body is None else json.dumps(body).encode(),
        {"X-Lab-Token": folder.read_token(), "Content-Type": "application/json"},
        method=method,
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=ASK_WITHIN_S) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        raise GamedayError(f"the lab refuses: {json.load(error).get('error', error)}") from error
    except (OSError, ValueError) as error:
        raise NoSupervisorError(f"the supervisor of lab '{folder.name}' does not answer: {error}") from error


def _running(folder: LabFolder) -> dict[str, Any] | None:
    try:
        return ask(folder, "GET", "/status")
    except GamedayError:
        return None


def _wait(folder: LabFolder, say: Callable[[str], None], supervisor: subprocess.Popen[bytes] | None) -> dict[str, Any]:
    """Until everything works. GamedayError when the supervisor ends or the time is over."""
    started, waiting = time.monotonic(), ["the supervisor does not answer"]
    while time.monotonic() - started < UP_WITHIN_S:
        if supervisor is not None and supervisor.poll() is not None:
            raise GamedayError(f"the lab ended while it started; the last words of its log:\n{_last_words(folder)}")
        try:
            found = ask(folder, "GET", "/status?try=1")
        except NoSupervisorError:
            found = {"ready": False, "waiting": waiting}
        if found["ready"]:
            return found
        waiting = found["waiting"]
        more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        say(f"{time.monotonic() - started:4.0f} s  {waiting[0]}{more}")
        time.sleep(1)
    raise GamedayError(f"the lab does not work after {UP_WITHIN_S:.0f} s: {'; '.join(waiting)}; logs are in {folder.logs}")


def _free_block() -> Layout:
    for block in range(FIRST_BLOCK, LAST_BLOCK + 1):
        layout = Layout(block)
        if layout.is_free():
            return layout
    raise GamedayError(f"no block of addresses from 127.{FIRST_BLOCK}.x.x to 127.{LAST_BLOCK}.x.x is free")


def _until(condition: Callable[[], bool], within_s: float) -> bool:
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.2)
    return False


def _python_path() -> str:
    root = str(Path(__file__).parents[2])
    return os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)


def _last_words(folder: LabFolder) -> str:
    try:
        return "\n".join((folder.logs / "supervisor.log").read_text(encoding="utf-8").splitlines()[-5:])
    except OSError:
        return "(none)"


def _words(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())
