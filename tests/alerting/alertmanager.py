"""A real Alertmanager as an oracle: started on a free port, fed through its API, its webhooks kept with their times.

Times are seconds since the process was started, which is where its clean-ups count from too.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
PATIENCE_S = 20.0
LOOK_EVERY_S = 0.02


def until(there: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Look again and again until something is there; fails when it does not come."""
    deadline = time.monotonic() + patience_s
    while not there():
        assert time.monotonic() < deadline, f"{what} did not come within {patience_s:g} s"
        threading.Event().wait(LOOK_EVERY_S)


@dataclass(frozen=True)
class Hook:
    """One notification as a receiver got it."""

    at: float
    receiver: str
    group: tuple[tuple[str, str], ...]
    firing: frozenset[str]
    resolved: frozenset[str]


@dataclass
class Alertmanager:
    """The running program."""

    url: str
    process: subprocess.Popen[bytes]
    server: ThreadingHTTPServer
    began: float
    hooks: list[Hook] = field(default_factory=list)

    def now(self) -> float:
        return time.monotonic() - self.began

    @property
    def wall_began(self) -> datetime:
        return datetime.now(UTC) - timedelta(seconds=self.now())

    def wall(self, t: float) -> str:
        return (self.wall_began + timedelta(seconds=t)).isoformat()

    def post(self, path: str, body: object) -> Any:
        request = urllib.request.Request(
            f"{self.url}/api/v2/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def send(self, labels: Mapping[str, str], starts_at: float, ends_at: float) -> float:
        """Send an alert; when it was taken."""
        self.post("alerts", [{"labels": dict(labels), "startsAt": self.wall(starts_at), "endsAt": self.wall(ends_at)}])
        return self.now()

    def wait_until(self, t: float) -> None:
        until(lambda: self.now() >= t, f"second {t:g}", t - self.now() + PATIENCE_S)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self.server.shutdown()
        self.server.server_close()


def start(folder: Path, config: Callable[[str], Mapping[str, Any]], zones: Path | None = None) -> Alertmanager:
    """Start it with a configuration made from the address of the webhook, and wait until it is ready; `zones`: a folder of further time zones."""
    from gameday.scenario.writing import yaml_text

    assert PROGRAM is not None

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            manager.hooks.append(_hook(json.loads(body), manager.now()))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Nothing: the test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = folder / "alertmanager.yml"
    file.write_text(yaml_text(config(f"http://127.0.0.1:{server.server_port}/")), encoding="utf-8")
    port = free_port()
    command = [PROGRAM, f"--config.file={file}", f"--storage.path={folder}", f"--web.listen-address=127.0.0.1:{port}"]
    command += ["--cluster.listen-address=", "--log.level=error"]
    began = time.monotonic()
    environment = {**os.environ, **({"ZONEINFO": str(zones)} if zones else {})}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    manager = Alertmanager(f"http://127.0.0.1:{port}", process, server, began)
    until(lambda: ready(manager), "Alertmanager")
    return manager


def ready(manager: Alertmanager) -> bool:
    assert manager.process.poll() is None, "Alertmanager has ended"
    try:
        with urllib.request.urlopen(f"{manager.url}/-/ready", timeout=1):
            return True
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _hook(body: Mapping[str, Any], at: float) -> Hook:
    def names(status: str) -> frozenset[str]:
        return frozenset(alert["labels"]["alertname"] for alert in body["alerts"] if alert["status"] == status)

    return Hook(at, body["receiver"], tuple(sorted(body["groupLabels"].items())), names("firing"), names("resolved"))


def by_receiver(hooks: Sequence[Hook]) -> dict[tuple[str, tuple[tuple[str, str], ...]], list[Hook]]:
    """Notifications by receiver and group, in the order in which they came."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], list[Hook]] = {}
    for hook in hooks:
        found.setdefault((hook.receiver, hook.group), []).append(hook)
    return found
