"""The rules of a day evaluated by the real Prometheus and Alertmanager: same kinds of events as from the project's own machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("chaoslib", reason="needs the live extra")
pytest.importorskip("psycopg", reason="needs the live extra")

from days import Day, gameday
from fake_lab import FakeLab, write_scenario

from experiments.clock import RunClock
from experiments.lab.monitoring import missing_programs
from experiments.observe.alert_book import AlertBook
from experiments.observe.evaluators import RealEvaluators, choose, routes
from experiments.observe.indicators import LiveIndicators
from experiments.observe.metrics import metrics
from experiments.observe.notebook import Notebook
from gameday.load_stream import Counts, LoadStream, line_of
from gameday.scenario import read_scenario
from gameday.target import read_target
from gameday.timeline import Event
from gameday.timeline_files import read_timeline

real = pytest.mark.skipif(bool(missing_programs()), reason="Prometheus and Alertmanager are not installed")


@real
def test_a_day_is_evaluated_by_the_real_prometheus_and_paged_by_the_real_alertmanager(tmp_path: Path, lab: FakeLab) -> None:
    lab.monitors = True
    day = Day(tmp_path, lab, duration="30s", fault="kill service/shop@a at 8s for 14s")
    assert day.end() in {0, 1, 3}, day.log.read_text()
    timeline = read_timeline(tmp_path / "run" / "timeline.jsonl")
    injected = timeline.first("fault.injected")
    assert injected is not None
    fired = [event for event in timeline.of("alert.firing") if event.t > injected.t]
    assert {event.data["evaluator"] for event in timeline.of("alert.*")} <= {"prometheus", "alertmanager"}
    assert {(event.subject, event.data["rule"]) for event in fired} >= {("class/checkout", "checkout-errors")}, (
        day.log.read_text()
    )
    probe = next(event for event in fired if event.data["rule"] == "checkout-probe")
    assert probe.subject == "class/checkout@home", "the origin whose region was killed, and no other"
    notified, page = timeline.first("alert.notified"), timeline.first("page.sent")
    assert notified is not None
    assert page is not None
    assert (notified.data["evaluator"], page.data["evaluator"], page.data["person"]) == ("alertmanager", "alertmanager", "kim")
    assert page.t >= fired[0].t
    assert lab.calls == ["monitoring starts", "kill shop-a", "restart shop-a", "monitoring ends"]
    assert lab.monitoring == []
    token = json.loads((tmp_path / "run" / "live" / "receivers.json").read_text())["token"]
    assert token not in (tmp_path / "run" / "timeline.jsonl").read_text()


def test_without_a_supervisor_that_starts_prometheus_the_own_machines_evaluate(tmp_path: Path, lab: FakeLab) -> None:
    scenario = write_scenario(tmp_path)
    assert choose(read_scenario(scenario), read_target(lab.target_file)).kind == "own"
    refused = gameday(tmp_path, "live", str(scenario), "--target", str(lab.target_file), "--dry-run", "--alerts", "prometheus")
    assert refused.returncode == 2
    assert "the target's supervisor starts no Prometheus" in refused.stdout


@real
def test_what_promql_cannot_say_is_left_to_the_own_machines(tmp_path: Path, lab: FakeLab) -> None:
    lab.monitors = True
    history = "{starts: 2026-03-01T10:00:00+01:00, values: [" + "2, 3, " * 200 + "]}"
    rule = f"monitoring.rules.usual={{kind: baseline, on: class/checkout, indicator: request_rate, history: {history}}}"
    day = write_scenario(tmp_path)
    usual = choose(read_scenario(day), read_target(lab.target_file))
    unusual = choose(read_scenario(day, [rule]), read_target(lab.target_file))
    assert (usual.kind, unusual.kind) == ("prometheus", "own")
    assert "usual" in unusual.words


def test_receivers_of_the_scenario_are_reached_by_the_webhook(tmp_path: Path) -> None:
    import yaml

    found = yaml.safe_load(routes(read_scenario(write_scenario(tmp_path)), "http://127.0.0.1:1/alertmanager/t"))
    reached = {one["name"]: one["webhook_configs"] for one in found["receivers"]}
    assert reached["page"] == [{"url": "http://127.0.0.1:1/alertmanager/t", "send_resolved": True}]


def test_what_is_scraped_counts_requests_whose_outcome_is_known(tmp_path: Path) -> None:
    counts = Counts(offered=9, good=5)
    counts.lost["timeout"] = 2
    counts.latency.update({0: 4, 3: 1})
    (tmp_path / "load-1.jsonl").write_text(
        line_of(1, {("checkout", "home"): counts}) + line_of(2, {("checkout", "home"): counts})
    )
    stream = LoadStream(tmp_path)
    stream.read()
    indicators = LiveIndicators(stream, 1.0)
    indicators.keep("probe_success", "probe/checkout@home", 1.0, 0.0)
    indicators.keep("replication_lag", "database/orders@b1", 1.0, 0.25)
    indicators.keep("instances_up", "service/shop@a", 1.0, 1.0)
    assert metrics(stream, indicators).splitlines() == [
        'gameday_requests_total{class="checkout",origin="home"} 14',
        'gameday_requests_failed_total{class="checkout",origin="home"} 4',
        'gameday_request_duration_seconds_bucket{class="checkout",origin="home",le="0.001"} 8',
        'gameday_request_duration_seconds_bucket{class="checkout",origin="home",le="0.00129503"} 10',
        'gameday_request_duration_seconds_bucket{class="checkout",origin="home",le="+Inf"} 10',
        'probe_success{probe="checkout",origin="home"} 0',
        'gameday_replication_lag_seconds{database="orders",zone="b1"} 0.25',
    ]


class Book:
    """An alert book and what it has written down."""

    def __init__(self, folder: Path, lab: FakeLab) -> None:
        self.folder = folder
        clock = RunClock.starting_in(-100.0)
        scenario = read_scenario(write_scenario(folder))
        self.notebook = Notebook(folder, "observer", clock)
        self.real = RealEvaluators(scenario, read_target(lab.target_file), clock, AlertBook(scenario, self.notebook))
        self.clock = clock

    def alert(self, state: str, at: float) -> dict[str, Any]:
        from datetime import UTC, datetime

        labels = {"alertname": "checkout-errors", "severity": "page", "component": "class/checkout"}
        began = datetime.fromtimestamp(self.clock.wall_at(at), UTC).isoformat()
        return {"labels": labels, "state": state, "activeAt": began, "value": "2.5e-01"}

    def events(self) -> list[Event]:
        return list(read_timeline(self.folder / "observer.jsonl"))


def test_an_alert_is_written_down_once_for_each_thing_that_becomes_of_it(tmp_path: Path, lab: FakeLab) -> None:
    book = Book(tmp_path, lab)
    for answer in (
        [],
        [book.alert("pending", 20.0)],
        [book.alert("pending", 20.0)],
        [book.alert("firing", 20.0)],
        [book.alert("firing", 20.0)],
        [],
        [],
        [book.alert("firing", 50.0)],
    ):
        book.real.take(answer)
    book.notebook.close()
    found = [(event.kind, event.data["rule"], event.data["evaluator"]) for event in book.events()]
    assert [kind for kind, _, _ in found] == ["alert.pending", "alert.firing", "alert.firing", "alert.resolved"], (
        "in order of time"
    )
    assert {rest for _, *rest in map(tuple, found) for rest in rest} == {"checkout-errors", "prometheus"}
    assert [round(event.t, 1) for event in book.events() if event.kind != "alert.resolved"] == [20.0, 20.0, 50.0]
    assert book.events()[1].data["value"] == 0.25
