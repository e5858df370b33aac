"""A target of two regions for tests: plain HTTP processes, and a supervisor that speaks the lab's API in a thread of this process.

with fake_lab(folder) as lab:
    lab.target_file     # what `--target` takes
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from experiments.calls import status_of
from experiments.throttle import Throttle

SERVER = Path(__file__).with_name("shop_server.py")
TOKEN = "a-token-of-the-fake-lab"
REGIONS = {"a": "127.0.41.1", "b": "127.0.41.2"}


def free_port(address: str = "127.0.0.1") -> int:
    with socket.socket() as one:
        one.bind((address, 0))
        return int(one.getsockname()[1])


class FakeLab:
    """Processes by name, as the lab's supervisor looks after them; `lies` says "killed" and kills nothing, `refuses` answers 500,
    `gives_shares` can throttle, `monitors` starts Prometheus and Alertmanager when asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands: dict[str, list[str]] = {}
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.killed: set[str] = set()
        self.frozen: set[str] = set()
        self.throttles: dict[str, Throttle] = {}
        self.calls: list[str] = []
        self.lies = False
        self.refuses = False
        self.monitors = False
        self.gives_shares = True
        self.monitoring: list[subprocess.Popen[bytes]] = []
        self.urls: dict[str, str] = {}
        for region, address in REGIONS.items():
            port = free_port(address)
            name = f"shop-{region}"
            self.urls[region] = f"http://{address}:{port}"
            self.commands[name] = [sys.executable, "-S", str(SERVER), address, str(port)]
            self.start(name)
        for region in REGIONS:
            self.wait_for(region)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.target_file = folder / "target.yaml"
        self.write_target()

    @property
    def supervisor(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def start(self, name: str) -> None:
        quiet = subprocess.DEVNULL
        self.children[name] = subprocess.Popen(
            self.commands[name], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )

    def wait_for(self, region: str) -> None:
        host, _, port = self.urls[region].removeprefix("http://").rpartition(":")
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            with suppress(OSError), socket.create_connection((host, int(port)), 1):
                return
            time.sleep(0.05)
        raise AssertionError(f"{region} did not start")

    def write_target(self, **changes: Any) -> None:
        content: dict[str, Any] = {
            "target": 1,
            "name": "fake",
            "entries": self.urls,
            "routes": {
                "browse": {"path": "/catalog/{item}"},
                "checkout": {"method": "POST", "path": "/checkout", "body": {"id": "{id}"}},
            },
            "services": {
                "shop": {
                    "instances": [
                        {
                            "name": f"shop-{region}",
                            "zone": f"{region}1",
                            "region": region,
                            "url": url,
                            "process": f"shop-{region}",
                        }
                        for region, url in self.urls.items()
                    ]
                }
            },
            "supervisor": self.supervisor,
            "token_file": "token",
            "guards": {"for": "60s"},
            **changes,
        }
        (self.folder / "token").write_text(TOKEN)
        self.target_file.write_text(json.dumps(content))

    def state(self, name: str) -> str:
        if name in self.killed:
            return "stopped"
        if name in self.frozen:
            return "frozen"
        if name in self.throttles:
            return "slow"
        return "running" if self.children[name].poll() is None else "exited"

    def throttle(self, name: str, share: float) -> None:
        if name in self.throttles:
            self.throttles.pop(name).end()
        if share < 1.0:
            self.throttles[name] = Throttle(self.children[name].pid, share)

    def act(self, name: str, what: str, query: str = "") -> None:
        self.calls.append(f"{what}?{query} {name}" if query else f"{what} {name}")
        if self.lies:
            return
        child = self.children[name]
        if what == "throttle":
            self.throttle(name, float(query.removeprefix("share=")))
        if what == "kill":
            self.killed.add(name)
            if child.poll() is None:
                child.kill()
                child.wait(5)
        elif what == "restart":
            self.killed.discard(name)
            if child.poll() is not None:
                self.start(name)
                self.wait_for(name.removeprefix("shop-"))
        elif what == "freeze":
            self.frozen.add(name)
            os.kill(child.pid, signal.SIGSTOP)
        elif what == "resume":
            self.frozen.discard(name)
            if child.poll() is None:
                os.kill(child.pid, signal.SIGCONT)

    def monitor(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """What the lab's supervisor does about monitoring, with the lab's own configuration files and the real programs."""
        from experiments.lab.layout import FIRST_BLOCK, LAST_BLOCK, Layout
        from experiments.lab.monitoring import missing_programs, plan_monitoring

        if method == "GET":
            return {"monitoring": {"missing": missing_programs(), "running": bool(self.monitoring)}}
        for child in self.monitoring:
            child.kill()
            child.wait(5)
        self.monitoring.clear()
        self.calls.append("monitoring " + ("ends" if method == "DELETE" else "starts"))
        if method == "DELETE":
            return {}
        layout = next(one for one in map(Layout, range(LAST_BLOCK, FIRST_BLOCK, -1)) if one.is_free())
        made = plan_monitoring(layout, self.folder, body["rules"], body["alertmanager"], body["scrape_s"], body["scrape"])
        with (self.folder / "monitoring.log").open("ab") as log:
            for spec in made.processes:
                child = subprocess.Popen(spec.command, cwd=spec.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
                self.monitoring.append(child)
        for spec in made.processes:
            ends = time.monotonic() + 30
            while status_of(str(spec.answers)) != 200:
                assert time.monotonic() < ends, (self.folder / "monitoring.log").read_text()
                time.sleep(0.05)
        return {"prometheus": made.prometheus, "alertmanager": made.alertmanager}

    def close(self) -> None:
        for child in self.monitoring:
            child.kill()
            child.wait(5)
        self.server.shutdown()
        self.server.server_close()
        for name in list(self.throttles):
            self.throttle(name, 1.0)
        for child in self.children.values():
            if child.poll() is None:
                os.kill(child.pid, signal.SIGCONT)
                child.kill()
            child.wait(5)


def handler(lab: FakeLab) -> type[BaseHTTPRequestHandler]:
    class Supervisor(BaseHTTPRequestHandler):
        def answer(self) -> None:
            if self.headers.get("X-Lab-Token") != TOKEN:
                self.reply(403, {"error": "wrong token"})
            elif lab.refuses and self.command == "POST":
                self.reply(500, {"error": "I will not"})
            elif self.path == "/monitoring" and lab.monitors:
                length = int(self.headers.get("Content-Length") or 0)
                self.reply(200, lab.monitor(self.command, json.loads(self.rfile.read(length) or b"{}")))
            elif self.command == "GET":
                pids = {name: child.pid for name, child in lab.children.items()}
                share = {"share": 1.0} if lab.gives_shares else {}
                self.reply(200, {name: {"state": lab.state(name), "pid": pid} | share for name, pid in pids.items()})
            else:
                path, _, query = self.path.partition("?")
                _, _, name, what = path.split("/")
                lab.act(name, what, query)
                self.reply(200, {"state": lab.state(name)})

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def reply(self, status: int, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Supervisor


@contextmanager
def fake_lab(folder: Path) -> Iterator[FakeLab]:
    lab = FakeLab(folder)
    try:
        yield lab
    finally:
        lab.close()


SCENARIO = """\
gameday: 1
name: small-day
title: The shop of a region dies
teaches: The whole way of a live day on two plain processes.
starts: 2026-03-12T10:00:00+01:00
duration: {duration}
warmup: 2s
replications: 10
system:
  regions: {{a: {{zones: [a1]}}, b: {{zones: [b1]}}}}
  network: {{cross_region: 2ms}}
  traffic:
    origins: {{home: {{share: 60%, region: a}}, away: {{share: 40%, region: b}}}}
  services:
    shop: {{tier: 0, owner: shop, instances: {{a: 1, b: 1}}, slots: 64, service_time: exponential 2ms, queue: 100, timeout: 2s, boot: 500ms}}
load:
  classes:
    checkout: {{priority: critical, entry: shop, rate: 20/s, deadline: 1s, timeout: 1s, indicator: {{good: 90%, window: 3s, sustained: 1s, recovered_after: 3s}}}}
    browse: {{entry: shop, rate: 10/s, deadline: 1s, timeout: 1s, indicator: {{good: 90%, window: 3s, sustained: 1s, recovered_after: 3s}}}}
schedule:
  faults:
    - {fault}
monitoring:
  scrape: 1s
  evaluation: 1s
  probes: {{checkout: {{class: checkout, interval: 1s, timeout: 1s}}}}
  rules:
    checkout-probe: {{kind: probe, probe: checkout, failures: 2, team: shop}}
    checkout-errors: {{kind: threshold, on: class/checkout, indicator: error_ratio, above: 10%, window: 5s, team: shop}}
  grouping: {{wait: 1s}}
response:
  people: {{kim: {{timezone: Europe/Berlin}}}}
  teams: {{shop: {{members: [kim]}}}}
  escalations: {{default: {{levels: [{{notify: [team/shop], after: 5m}}]}}}}
objectives:
  - {{kpi: detection.time_to_detect, target: <= 10s, gate: true}}
"""


def write_scenario(folder: Path, duration: str = "16s", fault: str = "kill service/shop@a at 5s for 5s", **_: Any) -> Path:
    path = folder / "small-day.yaml"
    path.write_text(SCENARIO.format(duration=duration, fault=fault))
    return path


if __name__ == "__main__":
    here = Path(sys.argv[1])
    here.mkdir(parents=True, exist_ok=True)
    with fake_lab(here) as running:
        write_scenario(here)
        print(running.target_file, flush=True)
        signal.pause()
