"""Locust plays a scenario's load: open loop, latency from the intended start, two workers add up."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

if find_spec("locust") is None:  # looked for, not imported: it would turn the threads of this process into greenlets
    pytest.skip("needs the live extra", allow_module_level=True)

from days import ROOT, environment, wait_until
from fake_lab import FakeLab, free_port, write_scenario

from experiments.calls import status_of
from gameday.load_stream import LoadStream


def locust(folder: Path, lab: FakeLab, *more: str, headless: bool = True, browse: str | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests" / "locustfile.py")]
    command += ["--headless", "--only-summary"] if headless else []
    scenario = write_scenario(folder, duration="9s" if headless else "60s", fault="noop service/shop at 1s for 1s")
    if browse is not None:
        scenario.write_text(re.sub(r"browse: \{entry.*", browse, scenario.read_text()))
    ours = [
        "--scenario",
        str(scenario),
        "--target",
        str(lab.target_file),
    ]
    with (folder / "locust.log").open("w") as log:
        return subprocess.Popen(
            [*command, *ours, "--stream", str(folder / "stream"), *more],
            cwd=folder,
            env=environment(folder),
            stdout=log,
            stderr=log,
        )


def test_a_stall_shows_in_the_latency_of_all_that_should_have_been_sent_in_it(tmp_path: Path, lab: FakeLab) -> None:
    """A closed loop would have sent nothing while the server stood still, and so have measured nothing."""
    running = locust(tmp_path, lab)
    stream = LoadStream(tmp_path / "stream")
    ends = time.monotonic() + 90
    while (stream.complete_until or 0) < 2 and time.monotonic() < ends:
        time.sleep(0.05)
        stream.read()
    os.kill(lab.children["shop-a"].pid, signal.SIGSTOP)
    stopped = stream.complete_until or 0
    while (stream.complete_until or 0) < stopped + 3 and time.monotonic() < ends:
        time.sleep(0.05)
        stream.read()
    os.kill(lab.children["shop-a"].pid, signal.SIGCONT)
    assert running.wait(90) in {0, 1}, (tmp_path / "locust.log").read_text()
    stream.read()
    home = [counts for second in stream.seconds.values() for (_, origin), counts in second.items() if origin == "home"]
    in_the_stall = [
        counts
        for t, second in stream.seconds.items()
        if stopped < t <= stopped + 3
        for (_, origin), counts in second.items()
        if origin == "home"
    ]
    assert sum(counts.offered for counts in in_the_stall) > 15
    assert sum(sum(counts.lost.values()) for counts in home) > 10
    away = [counts for second in stream.seconds.values() for (_, origin), counts in second.items() if origin == "away"]
    assert sum(counts.good for counts in away) > 30


def page(url: str, method: str = "GET") -> Any:
    """What Locust's own web server answers, as its page in a browser asks."""
    request = urllib.request.Request(url, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        content = answer.read()
    return json.loads(content) if answer.headers["Content-Type"].startswith("application/json") else content.decode()


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in (folder / "stream").glob("load-*.jsonl") for line in file.read_text().splitlines()]


def test_locusts_own_page_starts_a_test_shows_its_numbers_stops_it_and_starts_another(tmp_path: Path, lab: FakeLab) -> None:
    port = free_port()
    users = "browse: {entry: shop, users: 3, think: 100ms, deadline: 1s, timeout: 1s}"
    running = locust(tmp_path, lab, "--web-host", "127.0.0.1", "--web-port", str(port), headless=False, browse=users)
    url = f"http://127.0.0.1:{port}"

    def numbers() -> dict[str, Any]:
        found = page(f"{url}/stats/requests")
        return {one["name"]: one["num_requests"] for one in found["stats"]} | {"state": found["state"]}

    def rose_above(least: int) -> bool:
        found = numbers()
        return min(found.get("browse", 0), found.get("checkout", 0)) > least

    try:
        assert wait_until(lambda: status_of(url) == 200, 60), (tmp_path / "locust.log").read_text()
        assert "<title>Locust</title>" in page(url)
        assert not list((tmp_path).glob("stream/*")), "nothing is sent before somebody asks for it"
        assert page(f"{url}/swarm", "POST")["success"] is True
        assert wait_until(lambda: rose_above(5), 60)
        assert wait_until(lambda: rose_above(20), 60)
        assert page(f"{url}/stop", "POST")["success"] is True
        assert wait_until(lambda: numbers()["state"] == "stopped", 60)
        after, ended = numbers(), written(tmp_path)
        time.sleep(1.5)
        assert numbers() == after, "users of a closed class do not go on"
        assert written(tmp_path) == ended, "and no second is written after the stop"
        seconds = [one["t"] for one in ended]
        assert seconds == list(range(1, len(seconds) + 1))
        offered = sum(counts["offered"] for one in ended for *_, counts in one["counts"])
        under_way = offered - after["browse"] - after["checkout"]
        assert 0 <= under_way <= 2000, "the series and the page count the same requests"
        assert page(f"{url}/swarm", "POST")["success"] is True
        assert wait_until(lambda: numbers()["state"] == "running" and rose_above(5), 60)
        again = [one["t"] for one in written(tmp_path)]
        assert again == list(range(1, len(again) + 1)), "the second test has the file for itself"
    finally:
        running.terminate()
        running.wait(30)


def test_two_workers_share_the_arrivals(tmp_path: Path, lab: FakeLab) -> None:
    running = locust(tmp_path, lab, "--processes", "2", "--drivers", "2")
    assert running.wait(120) in {0, 1}, (tmp_path / "locust.log").read_text()
    stream = LoadStream(tmp_path / "stream")
    stream.read()
    assert len(list((tmp_path / "stream").glob("load-*.jsonl"))) == 2
    offered = stream.total().offered + stream.total().dropped
    assert abs(offered - 9 * 30) < 5 * (9 * 30) ** 0.5
