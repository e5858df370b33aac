"""Optional calls on a live day: switched off under stress, on again in calm, and put back after a crash."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from experiments.clock import RunClock
from experiments.observe.degradation import Degrader, Switch, Use, cannot_switch
from experiments.observe.notebook import Notebook
from experiments.put_back import FILE, put_back
from gameday.scenario.model import Scenario
from gameday.scenario.policies import Degradation
from gameday.target import Target
from gameday.timeline_files import read_timeline

RULE = {"disable": "shop -> extras", "when": "shop", "above": 0.8, "lasting": "10s", "restore_below": 0.5, "restore_after": "20s"}


def decisions(*seen: tuple[float, float | None]) -> list[bool | None]:
    switch = Switch(Degradation.model_validate(RULE))
    return [switch.decide(used, at) for at, used in seen]


def test_stress_has_to_last_and_so_has_calm() -> None:
    found = decisions((0, 0.9), (5, 0.9), (10, 0.9), (15, 0.3), (30, 0.3), (35, 0.3))
    assert found == [None, None, True, None, None, False]


def test_a_dip_starts_the_wait_anew_and_what_does_not_answer_is_no_sign_of_calm() -> None:
    assert decisions((0, 0.9), (5, 0.7), (10, 0.9), (15, 0.9), (20, 0.9)) == [None, None, None, None, True]
    assert decisions((0, 0.9), (10, 0.9), (15, 0.3), (25, None), (35, 0.3), (50, 0.3), (55, 0.3))[-2:] == [None, False]


class Shop:
    """One instance that says how busy it is and can be told to do without extras."""

    def __init__(self) -> None:
        self.busy_s = 0.0
        self.always_busy = False
        self.told: list[dict[str, Any]] = []
        self.heard = threading.Event()
        self.url = ""


@contextmanager
def shop() -> Iterator[Shop]:
    one = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            busy_s = 4.0 * time.monotonic() if one.always_busy else one.busy_s
            self.reply(f'# busy\nbusy{{name="x"}} {busy_s}\nslots{{name="x"}} 4\n')

        def do_PUT(self) -> None:
            one.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.reply("{}")
            one.heard.set()

        def reply(self, text: str) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        one.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield one
        server.shutdown()


def target(url: str, **more: Any) -> Target:
    instance = {"name": "shop-1", "zone": "a1", "region": "a", "url": url}
    hands = {
        "gauges": {"busy_seconds": "busy", "slots": "slots"},
        "features": {"extras": {"path": "/control", "off": {"extras": False}, "on": {"extras": True}}},
    }
    services = {"shop": {"instances": [instance], **hands, **more}}
    return Target.model_validate(
        {"target": 1, "name": "t", "entries": {"a": url}, "routes": {"buy": {"path": "/"}}, "services": services}
    )


def scenario(rule: dict[str, Any]) -> Scenario:
    service = {"instances": {"a1": 1}, "slots": 4, "service_time": "constant 1ms", "timeout": "1s"}
    return Scenario.model_validate(
        {
            "gameday": 1,
            "name": "t",
            "title": "t",
            "teaches": "t",
            "starts": "2026-03-02T09:00:00+00:00",
            "duration": "1m",
            "system": {
                "regions": {"a": {"zones": ["a1"]}},
                "services": {"shop": {**service, "calls": [{"to": "extras", "required": False}]}, "extras": service},
            },
            "load": {"classes": {"buy": {"entry": "shop", "rate": "1/s"}}},
            "policies": {"degradation": [rule]},
        }
    )


def test_the_use_of_a_service_is_what_it_worked_since_the_last_look() -> None:
    with shop() as one:
        use = Use(target(one.url).services["shop"])
        assert use.since_last(100.0) == {}, "nothing to compare with yet"
        one.busy_s = 12.0
        assert use.since_last(104.0) == {"a": 0.75}
        one.busy_s = 1.0
        assert use.since_last(105.0) == {}, "it was started anew"
    assert Use(target("http://127.0.0.1:9").services["shop"]).since_last(0.0) == {}


def test_a_busy_shop_is_told_to_do_without_and_that_is_put_back(tmp_path: Path) -> None:
    with shop() as one:
        one.always_busy = True
        notebook = Notebook(tmp_path, "observer", RunClock.starting_in(0.0))
        rule = {**RULE, "lasting": "0s"}
        (look,) = Degrader(scenario(rule), target(one.url), notebook, tmp_path).looks()
        threading.Thread(target=look, daemon=True).start()
        assert one.heard.wait(30)
        assert one.told == [{"extras": False}]
        ends = time.monotonic() + 20
        while not (found := list(read_timeline(tmp_path / "observer.jsonl").of("degradation.started"))):
            assert time.monotonic() < ends
        assert found[0].data == {"feature": "shop -> extras", "by": "controller"}
        assert put_back(tmp_path) == []
        assert one.told == [{"extras": False}, {"extras": True}]
        assert not (tmp_path / FILE).exists()


def test_what_cannot_be_put_back_is_told_and_kept(tmp_path: Path) -> None:
    from experiments.put_back import keep

    keep(tmp_path, "the sign", "PUT", "http://127.0.0.1:9/sign", {"on": True})
    (failure,) = put_back(tmp_path)
    assert failure.startswith("the sign: PUT http://127.0.0.1:9/sign did not answer")
    assert (tmp_path / FILE).exists()


@pytest.mark.parametrize("lacks", ["gauges", "features"])
def test_a_target_without_the_hands_is_named(lacks: str) -> None:
    bare = target("http://127.0.0.1:9", **{lacks: None if lacks == "gauges" else {}})
    (missing,) = cannot_switch(scenario(RULE), bare)
    assert f"services.shop.{lacks}" in missing
