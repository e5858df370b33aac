"""Names on a live day: caches keep what they hold, the controller moves the record when probes fail, and it is put back whatever happens."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

import pytest

pytest.importorskip("psycopg", reason="needs the live extra")

from days import gameday
from fake_lab import FakeLab, write_scenario

from experiments.clock import RunClock
from experiments.healing import Healer
from experiments.inventory import Inventory
from experiments.observe.notebook import Notebook
from experiments.observe.region_failover import RegionFailover, cannot_play
from experiments.public_record import prepare
from experiments.put_back import FILE, put_back
from experiments.session import PLAN_FILE, new_plan
from gameday.resolver_cache import ResolverCache
from gameday.scenario import read_scenario
from gameday.target import read_target
from gameday.timeline_files import read_timeline
from gameday.wire import Found

ENTRIES = {"a": "http://127.0.41.1:80", "b": "http://127.0.41.2:80"}
POLICY = (
    "{mode: automatic, pairs: {a: b}, trigger: 2of2, probe_interval: 1s, probe_timeout: 500ms, decide: constant 0s, databases: [], "
    "dns_ttl: 7s, fence: false, failback: {enabled: false}}"
)


# -- caches -------------------------------------------------------------------------------------------------------------


def test_a_cache_goes_where_it_was_told_until_its_time_is_over() -> None:
    cache = ResolverCache(ENTRIES, "a")
    assert cache.must_ask(0.0)
    cache.learn(Found(("127.0.41.1", "127.0.41.2"), 10.0), 0.0)
    assert cache.place() == ("a", ENTRIES["a"]), "of several addresses that of its own region"
    assert not cache.must_ask(9.9)
    assert cache.must_ask(10.0)
    cache.learn(Found(("127.0.41.2",), 10.0), 10.0)
    assert cache.place() == ("b", ENTRIES["b"])


def test_a_cache_without_an_answer_asks_again_and_goes_nowhere() -> None:
    cache = ResolverCache(ENTRIES, "a")
    for nothing in (None, Found((), 10.0), Found(("127.0.99.9",), 10.0)):
        cache.learn(nothing, 0.0)
        assert cache.place() is None
        assert cache.must_ask(0.0)


def test_a_cache_is_older_than_the_day_and_some_do_not_obey() -> None:
    cache = ResolverCache(ENTRIES, "a", first_for_s=3.0)
    cache.learn(Found(("127.0.41.1",), 10.0), 0.0)
    assert cache.must_ask(3.0)
    cache.learn(Found(("127.0.41.1",), 10.0), 3.0, longer_s=100.0)
    assert not cache.must_ask(112.9)
    assert cache.must_ask(113.0)


# -- the controller -----------------------------------------------------------------------------------------------------


class Names:
    """A DNS server's HTTP interface, and what became of its one record; `moved` is set when it is changed to one address."""

    def __init__(self) -> None:
        self.record: dict[str, Any] = {"addresses": {"a": "127.0.41.1", "b": "127.0.41.2"}, "ttl": 30}
        self.moved = threading.Event()
        self.url = ""


@contextmanager
def names() -> Iterator[Names]:
    held = Names()

    class Control(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer({"records": {"shop.test": held.record}})

        def do_PUT(self) -> None:
            held.record = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(held.record)
            if len(held.record["addresses"]) == 1:
                held.moved.set()

        def answer(self, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Control) as server:
        server.daemon_threads = True
        held.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield held
        server.shutdown()


def with_names(lab: FakeLab, held: Names) -> None:
    lab.write_target(public={"name": "shop.test"}, dns={"control": held.url})


def test_failed_probes_move_the_name_once_and_every_step_is_on_the_record(tmp_path: Path, lab: FakeLab) -> None:
    with names() as held:
        with_names(lab, held)
        scenario = read_scenario(write_scenario(tmp_path), [f"policies.failover={POLICY}"])
        target = read_target(lab.target_file)
        prepare(scenario, target, tmp_path)
        assert held.record == {"addresses": {"a": "127.0.41.1", "b": "127.0.41.2"}, "ttl": 7}, "the day's time to live"
        notebook = Notebook(tmp_path, "observer", RunClock.starting_in(0.0))
        (look,) = RegionFailover(scenario, target, notebook, Random("x")).looks()
        threading.Thread(target=look, daemon=True).start()
        lab.act("shop-a", "kill")
        assert held.moved.wait(30)
        assert held.record == {"addresses": {"b": "127.0.41.2"}, "ttl": 7}
        ends = time.monotonic() + 20
        while not (found := list(read_timeline(tmp_path / "observer.jsonl").of("failover.completed"))):
            assert time.monotonic() < ends
        assert (found[0].subject, found[0].data) == ("region/a", {"failover": "a->b", "to": "b"})
        timeline = read_timeline(tmp_path / "observer.jsonl")
        steps = [(event.data["step"], event.data["outcome"]) for event in timeline.of("failover.step")]
        assert steps == [(step, "succeeded") for step in ("detect", "decide", "check", "move")]
        (changed,) = timeline.of("dns.changed")
        assert (changed.subject, changed.data["to"], changed.data["ttl_s"]) == ("dns/home", "b", 7.0)
        assert put_back(tmp_path) == []
        assert held.record == {"addresses": {"a": "127.0.41.1", "b": "127.0.41.2"}, "ttl": 30}
        assert put_back(tmp_path) == [], "twice is once"


def test_no_name_is_moved_to_a_region_that_does_not_answer(tmp_path: Path, lab: FakeLab) -> None:
    with names() as held:
        with_names(lab, held)
        scenario = read_scenario(write_scenario(tmp_path), [f"policies.failover={POLICY}"])
        notebook = Notebook(tmp_path, "observer", RunClock.starting_in(0.0))
        (look,) = RegionFailover(scenario, read_target(lab.target_file), notebook, Random("x")).looks()
        for name in ("shop-a", "shop-b"):
            lab.act(name, "kill")
        threading.Thread(target=look, daemon=True).start()
        ends = time.monotonic() + 20
        while not (found := list(read_timeline(tmp_path / "observer.jsonl").of("failover.failed"))):
            assert time.monotonic() < ends
        assert (found[0].data["step"], found[0].data["why"]) == ("check", "b does not answer")
        assert len(held.record["addresses"]) == 2


def test_a_dry_run_looks_whether_the_name_can_be_moved_and_changes_nothing(tmp_path: Path, lab: FakeLab) -> None:
    with names() as held:
        with_names(lab, held)
        command = ["live", str(write_scenario(tmp_path)), "--target", str(lab.target_file), "--dry-run"]
        command += ["--set", "response.roles={incident_commander: [kim]}"]
        dry = gameday(tmp_path, *command, "--set", f"policies.failover={POLICY}")
        assert "a region's traffic can be moved: shop.test can be pointed elsewhere" in dry.stdout
        assert held.record["ttl"] == 30
        wrong = gameday(tmp_path, *command, "--set", f"policies.failover={POLICY.replace('enabled: false', 'enabled: true')}")
        assert wrong.returncode == 2
        assert "cannot play: failback.approval without --hands-on" in wrong.stdout
        right = gameday(tmp_path, *command, "--hands-on", "--set", f"policies.failover={POLICY.replace('enabled: false', '')}")
        assert "a region's traffic can be moved: shop.test can be pointed elsewhere" in right.stdout


def test_healing_by_the_plan_on_disk_puts_the_name_back(tmp_path: Path, lab: FakeLab) -> None:
    with names() as held:
        with_names(lab, held)
        path = write_scenario(tmp_path)
        scenario, target = read_scenario(path, [f"policies.failover={POLICY}"]), read_target(lab.target_file)
        plan = new_plan(tmp_path / PLAN_FILE, target.file, str(path), Inventory(scenario, target))
        plan.write()
        prepare(scenario, target, tmp_path)
        held.record = {"addresses": {"b": "127.0.41.2"}, "ttl": 7}
        assert Healer(tmp_path / PLAN_FILE).heal() == ([], [])
        assert held.record == {"addresses": {"a": "127.0.41.1", "b": "127.0.41.2"}, "ttl": 30}
        assert not (tmp_path / FILE).exists()


def test_what_a_live_day_cannot_play_is_named(tmp_path: Path, lab: FakeLab) -> None:
    scenario = read_scenario(
        write_scenario(tmp_path),
        ["policies.failover={mode: automatic, pairs: {a: b}, move: anycast, failback: {approval: null}}"],
    )
    target = read_target(lab.target_file)
    assert [each.partition(" (")[0] for each in cannot_play(scenario, target, hands_on=False)] == ["move: anycast"]
    assert cannot_play(read_scenario(write_scenario(tmp_path)), target, hands_on=False) == []
    roles = "response.roles={incident_commander: [kim], boss: [kim]}"
    manual = "policies.failover={mode: manual, pairs: {a: b}, approval: boss}"
    asks = read_scenario(write_scenario(tmp_path), [manual, roles])
    assert [each.partition(" (")[0] for each in cannot_play(asks, target, hands_on=False)] == [
        "mode: manual without --hands-on",
        "approval without --hands-on",
        "failback.approval without --hands-on",
    ]
    assert cannot_play(asks, target, hands_on=True) == []
