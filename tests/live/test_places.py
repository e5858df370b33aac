"""Where the clients of a live day go: what their resolver caches say when they move, and what the record makes of it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("psycopg", reason="needs the live extra")

from fake_lab import write_scenario

from experiments.recording import record
from gameday.load_stream import MOVED, NOWHERE, Counts, line_of
from gameday.scenario import read_scenario
from gameday.scenario.system import Dns
from gameday.wire import Found
from loadtests import resolver
from loadtests.recorder import Recorder

TTL_S = 10.0
TARGET: Any = SimpleNamespace(
    entries={"a": "http://127.0.41.1:80", "b": "http://127.0.41.2:80"},
    public=SimpleNamespace(name="shop.test", resolver="127.0.41.9:53"),
)


def test_a_population_says_when_each_of_its_caches_goes_elsewhere_and_wakes_at_that_instant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, answer = 1000.0, Found(("127.0.41.1",), TTL_S)
    monkeypatch.setattr(resolver.time, "monotonic", lambda: now)
    monkeypatch.setattr(resolver, "asked", lambda _server, _name: answer)
    moves: list[tuple[float, str | None, str]] = []
    clients = resolver.Population(
        TARGET, "a", Dns(ignore_ttl=0.0), Random(1), TTL_S, lambda before, after: moves.append((now, before, after))
    )
    clients.renew_all()
    assert moves == [(1000.0, None, "a")] * resolver.CACHES
    moves.clear()
    answer = Found(("127.0.41.2",), TTL_S)
    while now < 1000.0 + TTL_S:
        now += clients.pause_s()
        clients.renew_all()
    assert [move[1:] for move in moves] == [("a", "b")] * resolver.CACHES
    assert len({move[0] for move in moves}) > resolver.CACHES / 2, "one by one"
    assert moves[-1][0] <= 1000.0 + TTL_S + resolver.LEAST_PAUSE_S
    moves.clear()
    monkeypatch.setattr(resolver, "asked", lambda _server, _name: None)
    now += TTL_S
    clients.renew_all()
    clients.renew_all()
    assert [move[1:] for move in moves] == [("b", NOWHERE)] * resolver.CACHES, "said once"
    assert clients.pause_s() == resolver.REFRESH_EVERY_S, "a server that does not answer is not asked without end"


def test_the_share_of_a_place_is_that_of_the_caches_that_lead_there_at_the_instant_at_which_one_moves(tmp_path: Path) -> None:
    before = [(-4.0, "home", None, "a")] * 3 + [(-3.5, "home", None, NOWHERE), (-3.0, "home", NOWHERE, "a")]
    for worker, moves in enumerate((before, [(7.125, "home", "a", "b"), (7.5, "home", "a", "b")])):
        lines = [line_of(t, {("browse", "home"): Counts(4, 4)}, {MOVED: moves} if t == 1 else None) for t in range(1, 10)]
        (tmp_path / f"load-{worker}.jsonl").write_text("".join(lines))
    found = record(tmp_path, read_scenario(write_scenario(tmp_path))).series.find("dns.share", {"origin": "home", "region": "b"})
    assert [(series.t.tolist(), series.values.tolist()) for series in found] == [([0.0, 7.125, 7.5], [0.0, 0.25, 0.5])]


def test_the_recorder_writes_moves_into_the_line_of_their_second_and_once(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, began=0.0)
    recorder.moved("home", None, "a")
    recorder.flush(1)
    recorder.flush(2)
    assert recorder._file is not None
    recorder._file.close()
    first, second = next(tmp_path.glob("load-*.jsonl")).read_text().splitlines()
    assert f'"{MOVED}":' in first
    assert MOVED not in second
