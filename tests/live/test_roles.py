"""What the watch of a database's roles writes down from what the nodes say of themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("psycopg", reason="needs the live extra")

from experiments.adapters.patroni import NodeState
from experiments.clock import RunClock
from experiments.observe.indicators import LiveIndicators
from experiments.observe.notebook import Notebook
from experiments.observe.roles import HURRIED_EVERY_S, ROLES_EVERY_S, RoleWatch
from gameday.load_stream import LoadStream
from gameday.target import Database
from gameday.timeline_files import read_timeline

NODES = {
    "nodes": [
        {"name": "orders-a", "zone": "a1", "region": "a", "dsn": "host=127.0.0.1"},
        {"name": "orders-b", "zone": "b1", "region": "b", "dsn": "host=127.0.0.1"},
    ]
}


def primaries(folder: Path) -> list[float]:
    """Values of the series, as they were written down."""
    lines = (folder / "samples-observer.jsonl").read_text().splitlines()
    return [found["value"] for line in lines if (found := json.loads(line))["name"] == "database.primaries"]


@pytest.mark.parametrize(("blocked", "counts"), [(False, [1.0, 2.0]), (True, [1.0, 1.0])])
def test_a_primary_that_waits_for_its_standby_in_vain_is_no_second_primary(
    tmp_path: Path, blocked: bool, counts: list[float]
) -> None:
    notebook = Notebook(tmp_path, "observer", RunClock.starting_in(0.0))
    database = Database.model_validate(NODES)
    watch = RoleWatch("orders", database, LiveIndicators(LoadStream(tmp_path), 1.0), notebook, None)
    old, new = database.nodes
    watch._take(old, NodeState("primary", timeline=1), 0.0)
    watch._take(new, NodeState("replica", 0.0, 1), 0.0)
    watch._take(old, NodeState("primary", timeline=1, blocked=blocked), 0.0)
    watch._take(new, NodeState("primary", timeline=2), 0.0)
    watch._take(old, NodeState("primary", timeline=1, blocked=blocked), notebook.clock.now())
    watch._count_primaries(always=True)
    notebook.close()
    assert list(dict.fromkeys(primaries(tmp_path))) == list(dict.fromkeys(counts))
    assert [event.data["to"] for event in read_timeline(tmp_path / "observer.jsonl").of("failover.promoted")] == ["b1"]


def test_a_count_that_never_changes_is_on_record_in_every_second_of_the_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experiments.observe.roles.every", lambda _interval_s: range(3))
    notebook = Notebook(tmp_path, "observer", RunClock.starting_in(0.0))
    watch = RoleWatch("orders", Database.model_validate(NODES), LiveIndicators(LoadStream(tmp_path), 1.0), notebook, None)
    old, new = Database.model_validate(NODES).nodes
    watch._take(old, NodeState("primary", timeline=1), 0.0)
    watch._take(new, NodeState("replica", 0.0, 1), 0.0)
    before = len(primaries(tmp_path))
    watch._watch_count()
    notebook.close()
    assert primaries(tmp_path)[before:] == [1.0, 1.0, 1.0]


def test_roles_are_asked_in_haste_from_the_end_of_a_lease_to_the_promotion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holder of the lease and what nodes say are handed in; the watch sleeps only as long as it says."""
    slept: list[float] = []
    calm: list[float] = []
    monkeypatch.setattr("experiments.observe.pace.time.sleep", slept.append)
    monkeypatch.setattr("experiments.observe.roles.every", lambda _interval_s: range(3))
    holders = iter(["orders-a", "orders-a", None])
    monkeypatch.setattr("experiments.observe.roles.lease_holder", lambda _etcd, _scope: next(holders))
    states = iter([*[NodeState("replica", 0.0, 1)] * 4, NodeState("primary", timeline=2)])
    monkeypatch.setattr("experiments.observe.roles.state_of", lambda _node: next(states))
    notebook = Notebook(tmp_path, "observer", RunClock.starting_in(0.0))
    watch = RoleWatch("orders", Database.model_validate(NODES), LiveIndicators(LoadStream(tmp_path), 1.0), notebook, None)
    old, new = Database.model_validate(NODES).nodes
    watch._take(old, NodeState("primary", timeline=1), 0.0)
    watch._watch_lease("http://127.0.0.1:1", "orders")
    monkeypatch.setattr(watch._haste._on, "wait", calm.append)
    with pytest.raises(StopIteration):
        watch._watch(new)
    notebook.close()
    assert (slept, calm) == ([HURRIED_EVERY_S] * 4, [ROLES_EVERY_S])
    kinds = [event.kind for event in read_timeline(tmp_path / "observer.jsonl") if event.kind.startswith("failover.")]
    assert kinds[:2] == ["failover.triggered", "failover.promoted"]


def test_what_an_old_primary_said_before_there_was_a_new_one_makes_no_two_primaries(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path, "observer", RunClock.starting_in(0.0))
    watch = RoleWatch("orders", Database.model_validate(NODES), LiveIndicators(LoadStream(tmp_path), 1.0), notebook, None)
    old, new = Database.model_validate(NODES).nodes
    watch._take(old, NodeState("primary", timeline=1), 0.0)
    watch._take(new, NodeState("replica", 0.0, 1), 0.0)
    asked_before_s = notebook.clock.now()
    watch._take(new, NodeState("primary", timeline=2), asked_before_s)
    watch._count_primaries(always=True)
    watch._take(old, NodeState("primary", timeline=1), asked_before_s)
    watch._count_primaries(always=True)
    assert primaries(tmp_path) == [1.0]
    watch._take(old, NodeState("primary", timeline=1, blocked=True), notebook.clock.now())
    watch._count_primaries(always=True)
    notebook.close()
    assert set(primaries(tmp_path)) == {1.0}


@pytest.mark.parametrize(("move", "triggered", "name"), [(None, ["orders"], "orders"), ("a->b", [], "a->b")])
def test_a_promotion_that_is_a_step_of_a_regions_failover_is_no_failover_of_its_own(
    tmp_path: Path, move: str | None, triggered: list[str], name: str
) -> None:
    notebook = Notebook(tmp_path, "observer", RunClock.starting_in(0.0))
    database = Database.model_validate(NODES)
    indicators = LiveIndicators(LoadStream(tmp_path), 1.0)
    watch = RoleWatch("orders", database, indicators, notebook, None, lambda _database: move, lambda _database: "lee")
    old, new = database.nodes
    watch._take(old, NodeState("primary", timeline=1), 0.0)
    watch._take(new, NodeState("replica", 0.0, 1), 0.0)
    watch._take(new, NodeState("primary", timeline=2), 0.0)
    notebook.close()
    found = read_timeline(tmp_path / "observer.jsonl")
    assert [event.data["failover"] for event in found.of("failover.triggered")] == triggered
    assert [event.data["failover"] for event in found.of("failover.promoted")] == [name]
    assert len(found.of("failover.completed")) == len(triggered)
    assert [event.data["by"] for event in found.of("failover.triggered")] == ["lee"] * len(triggered)
