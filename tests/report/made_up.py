"""Made-up runs for the tests of the reports: written by hand, never by the simulator, so that a test knows what must be in a page."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gameday.runfolder import RunFolder
from gameday.runrecord import RunRecord
from gameday.scores.kpis import DIMENSIONS, KPIS, default_target, format_target
from gameday.statistics import quantile, share
from gameday.timeline import Event, Series, SeriesSet, Timeline

END_S = 3000.0
SCENARIO = """\
gameday: 1
name: region-loss
title: A region goes dark in the evening peak
teaches: What the loss of a region costs when traffic moves by name resolution, and what shedding saves.
starts: 2026-03-10T19:00:00+01:00
duration: 50m
warmup: 2m
replications: 30
system:
  regions:
    eu-1: {zones: [eu-1a, eu-1b]}
    eu-2: {zones: [eu-2a, eu-2b]}
  traffic:
    origins:
      west: {share: 60%, region: eu-1}
      east: {share: 40%, region: eu-2}
  services:
    edge:
      instances: 1
      slots: 60
      service_time: exponential 2ms
      calls:
        - {to: storefront, for: [browse]}
        - {to: checkout, for: [checkout]}
    storefront:
      instances: 2
      slots: 4
      service_time: lognormal 60ms cv 0.7
      calls:
        - {to: recommendations, required: false}
    recommendations: {instances: 1, slots: 4, service_time: exponential 60ms}
    checkout:
      instances: 1
      slots: 4
      service_time: lognormal 80ms cv 0.6
      calls:
        - {to: provider/card-network}
        - {to: database/orders, operation: write}
        - {to: queue/receipts, mode: async}
    notifier: {instances: 1, slots: 4, service_time: exponential 50ms}
  databases:
    orders: {primary: eu-1a, replicas: [eu-1b, eu-2a], slots: 8, service_time: exponential 15ms}
  queues:
    receipts: {consumer: notifier}
  providers:
    card-network: {service_time: lognormal 180ms cv 0.5}
  money: {currency: EUR, lost_request: {checkout: 40 EUR}}
load:
  classes:
    checkout: {priority: critical, entry: edge, rate: 20/s, deadline: 2s}
    browse: {priority: normal, entry: edge, rate: 60/s, deadline: 1s}
schedule:
  faults:
    - kill region/eu-1 at 10m for 20m
policies:
  failover: {mode: automatic, pairs: {eu-1: eu-2}}
response:
  people: {ana: {}, bo: {}}
  teams: {payments: {members: [ana, bo]}}
communication:
  audiences:
    customers: {channel: status_page, external: true, approvals: [incident_commander]}
objectives:
  - {kpi: detection.time_to_detect, statistic: p90, target: <= 3m, gate: true}
  - {kpi: failover.rto, statistic: p90, target: <= 6m, gate: true}
  - {kpi: shedding.critical_goodput, statistic: pass_rate, target: ">= 90%", at_least: 0.8}
"""
PUBLISHED = """\
published:
  incident: The outage of a large marketplace
  source: its public review
  milestones: {detected: 4m, declared: 12m, failover: 20m, resolved: 1h50m}
  notes: The real day had a second fault in the build system, which is left out.
"""


def event(t: float, kind: str, subject: str, **data: Any) -> Event:
    """An event of a simulation; keys that are Python words have an underscore at the end."""
    return Event(t, kind, subject, "sim", {key.rstrip("_"): value for key, value in data.items()})


def region_loss_events() -> list[Event]:
    """A region is lost, traffic fails over, people are paged, customers are told."""
    fault = {"fault": "kill", "index": 0, "selector": "region/eu-1", "parameters": {}, "origin": "schedule"}
    impact = {"flow": "checkout", "good_ratio": 0.61, "objective": 0.95}
    message = {"channel": "status_page", "author": "eli", "role": "communications"}
    action = {"action": "shift_traffic", "target": "region/eu-1", "by": "dara"}
    decision = {"decision": "fail back", "by": "dara"}
    return [
        event(0, "run.started", "region-loss", scenario="region-loss", seed=7, replication=0, duration_s=END_S),
        event(600, "fault.injected", "region/eu-1", **fault),
        event(600, "database.role", "database/orders", node="orders@eu-1a", role="down"),
        event(604, "impact.started", "class/checkout", **impact),
        event(606, "impact.started", "class/browse", **(impact | {"flow": "browse"})),
        event(630, "alert.pending", "class/checkout", rule="checkout-burn", severity="page"),
        event(645, "alert.firing", "class/checkout", rule="checkout-burn", severity="page", value=22.4),
        event(660, "alert.firing", "region/eu-1", rule="edge-gone-eu-1", severity="page"),
        event(675, "alert.firing", "class/browse", rule="browse-errors", severity="page"),
        event(675, "alert.notified", "class/checkout", rules=["checkout-burn", "edge-gone-eu-1"], receiver="payments"),
        event(676, "page.sent", "incident/1", page="p1", person="ana", level=1, channel="call", urgency="high"),
        event(640, "failover.triggered", "region/eu-1", failover="regions", why="3 of 5 probes failed", by="automation"),
        event(655, "failover.step", "region/eu-1", failover="regions", step="fence", outcome="done", took_s=5.0),
        event(671, "failover.promoted", "database/orders", failover="regions", from_="eu-1a", to="eu-2a", lost_writes=12),
        event(671, "database.role", "database/orders", node="orders@eu-2a", role="primary"),
        event(674, "dns.changed", "shop.example", record="shop.example", to="eu-2", ttl_s=60),
        event(790, "failover.completed", "region/eu-1", failover="regions", to="eu-2"),
        event(690, "shedding.started", "service/edge@eu-2", station="service/edge@eu-2"),
        event(1480, "shedding.ended", "service/edge@eu-2", station="service/edge@eu-2"),
        event(820, "page.acknowledged", "incident/1", page="p1", person="ana", after_s=144.0),
        event(880, "responder.engaged", "incident/1", person="ana"),
        event(890, "diagnosis.started", "incident/1", person="ana", hypothesis="bad release"),
        event(1130, "diagnosis.concluded", "incident/1", person="ana", hypothesis="bad release", correct=False),
        event(1135, "diagnosis.started", "incident/1", person="ana", hypothesis="region lost"),
        event(1390, "diagnosis.concluded", "incident/1", person="ana", hypothesis="region lost", correct=True),
        event(905, "incident.declared", "incident/1", severity="sev1", by="ana"),
        event(1010, "incident.role", "incident/1", role="incident_commander", person="dara"),
        event(1110, "incident.role", "incident/1", role="communications", person="eli"),
        event(1440, "decision.proposed", "region/eu-1", **decision, why="the region is back"),
        event(1500, "decision.approved", "region/eu-1", **decision, why="lag is zero"),
        event(1520, "action.started", "region/eu-1", **action),
        event(1780, "action.succeeded", "region/eu-1", **action),
        event(
            1290,
            "message.published",
            "incident/1",
            message="m1",
            audience="customers",
            phase="investigating",
            text="Checkout fails for part of our customers since 19:10. Next update by 19:40.",
            approvals=[{"person": "dara", "role": "incident_commander"}],
            **message,
        ),
        event(
            2400,
            "message.published",
            "incident/1",
            message="m2",
            audience="customers",
            phase="resolved",
            text="Solved.",
            **message,
        ),
        event(1800, "fault.healed", "region/eu-1", **fault),
        event(1900, "database.role", "database/orders", node="orders@eu-1a", role="replica"),
        event(1330, "impact.ended", "class/checkout", **impact, worst_good_ratio=0.18, lost=4200),
        event(1510, "impact.ended", "class/browse", **impact, worst_good_ratio=0.42, lost=9100),
        event(1350, "alert.resolved", "class/checkout", rule="checkout-burn", severity="page"),
        event(1530, "alert.resolved", "class/browse", rule="browse-errors", severity="page"),
        event(1860, "alert.resolved", "region/eu-1", rule="edge-gone-eu-1", severity="page"),
        event(2390, "incident.resolved", "incident/1", by="dara"),
        event(END_S, "run.ended", "region-loss"),
    ]


def region_loss_series(rng: np.random.Generator) -> SeriesSet:
    """Traffic that collapses at 600 s and comes back by and by."""
    made = SeriesSet()
    t = np.arange(1.0, END_S + 1)
    hurt = np.clip((t - 600) / 8, 0, 1) * np.exp(-np.clip(t - 660, 0, None) / 240) * (t > 600)
    for name, rate, worst in (("checkout", 20.0, 0.75), ("browse", 60.0, 0.58)):
        for origin, part in (("west", 0.6), ("east", 0.4)):
            offered = rng.poisson(rate * part, len(t)).astype(float)
            lost = rng.binomial(offered.astype(int), np.clip(hurt * worst, 0, 1)).astype(float)
            shed = np.floor(lost * (0.35 if name == "browse" else 0.0))
            labels = {"class": name, "origin": origin}
            made.add(Series("requests.offered", labels, t, offered))
            made.add(Series("requests.good", labels, t, offered - lost))
            made.add(Series("requests.lost", {**labels, "reason": "refused"}, t, lost - shed))
            made.add(Series("requests.lost", {**labels, "reason": "shed"}, t, shed))
        five = np.arange(5.0, END_S + 1, 5.0)
        level = 1 + 7 * np.interp(five, t, hurt)
        keep = (five < 602) | (five > 640)
        for label, base in (("p50", 0.09), ("p95", 0.24), ("p99", 0.41)):
            values = base * level * rng.lognormal(0, 0.08, len(five))
            made.add(Series(f"latency.{label}", {"class": name}, five[keep], values[keep]))
    five = np.arange(5.0, END_S + 1, 5.0)
    for service in ("edge", "storefront", "recommendations", "checkout", "notifier"):
        for region in ("eu-1", "eu-2"):
            down = (region == "eu-1") & (five > 600) & (five <= 1800)
            made.add(Series("service.instances", {"service": service, "region": region}, five, np.where(down, 0.0, 2.0)))
    busy = np.arange(690.0, 1480.0, 5.0)
    for name, rate in (("refused", 9.0), ("refused_by", 9.0), ("admitted_by", 31.0)):
        labels = {"service": "edge", "region": "eu-2"} | ({} if name == "refused" else {"priority": "normal"})
        made.add(Series(f"service.{name}", labels, busy, np.full(len(busy), rate)))
    return made


def samples(rng: np.random.Generator, n: int) -> dict[str, np.ndarray[Any, Any]]:
    """Values of every KPI for n replications: some spread, some constant, some never, some not judged."""
    found: dict[str, np.ndarray[Any, Any]] = {}
    for number, (name, kpi) in enumerate(KPIS.items()):
        target = kpi.default_target if kpi.default_target else {"s": 600.0, "money": 30_000.0}.get(kpi.unit, 1.0)
        if kpi.unit == "ratio":
            values = np.clip(rng.beta(40, 2, n), 0, 1)
        elif kpi.unit == "bool" or kpi.hard:
            values = np.full(n, kpi.default_target or 0.0)
        elif kpi.unit in {"count", "rank", "per_day"}:
            values = rng.poisson(1.5, n).astype(float)
        else:
            values = target * rng.lognormal(-0.2, 0.7, n)
        if kpi.unit == "s" and number % 5 == 1 and n > 4:
            values[rng.random(n) < 0.12] = math.inf
        if number % 11 == 10:
            values[:] = math.nan
        found[name] = values
    return found


def scores(found: dict[str, np.ndarray[Any, Any]], events: Sequence[Event], replications: int) -> dict[str, Any]:
    """scores.json as the scorers write it, from the samples."""
    dimensions: dict[str, Any] = {}
    for dimension in (name for name in DIMENSIONS if any(KPIS[kpi].dimension == name for kpi in found)):
        results = [_result(name, values, events) for name, values in found.items() if KPIS[name].dimension == dimension]
        order = "PSMU"
        grades = [result["grade"] for result in results if KPIS[result["kpi"]].critical]
        known = [grade for grade in grades if grade in order]
        grade = max(known, key=order.index) if known else "UNKNOWN"
        worst = next((result for result in results if result["grade"] == grade), results[0])
        dimensions[dimension] = {"grade": grade, "reason": f"{KPIS[worst['kpi']].title}, the worst of them", "results": results}
    rto = found["failover.rto"]
    return {
        "schema": 1,
        "scenario": "region-loss",
        "seed": 7,
        "replications": replications,
        "grade": "U",
        "verdict": "not_met",
        "dimensions": dimensions,
        "objectives": []
        if "detection.time_to_detect" not in found
        else [
            _objective("detection.time_to_detect", "p90", "<= 3m", found, met=False, gate=True),
            _objective("failover.rto", "p90", "<= 6m", found, met=None, gate=True),
            {
                "kpi": "shedding.critical_goodput",
                "statistic": "pass_rate",
                "target": ">= 90%",
                "at_least": 0.8,
                "weight": 2.0,
                "gate": False,
                "value": 0.8667,
                "low": 0.7032,
                "high": 0.9469,
                "met": True,
            },
        ],
        "hard_failures": [
            {"kpi": "communication.authority", "why": "an external message without approval", "count": 1, "replications": [4]}
        ],
        "worst": [
            {
                "replication": number,
                "grade": "U",
                "why": f"{KPIS['failover.rto'].title}: never within 40m",
                "lost_requests": 9000.0 + number,
                "lost_money": 1234.0,
            }
            for number in (4, 17, 9, 22, 0)[: max(1, min(5, replications))]
        ],
        "milestones": {
            "detected": {"p10": 61.0, "p50": 75.0, "p90": 95.0, "n": replications},
            "declared": {"p10": 200.0, "p50": 420.0, "p90": 900.0, "n": replications},
            "failover": {
                "p10": 120.0,
                "p50": 190.0,
                "p90": float(np.max(rto[np.isfinite(rto)], initial=300.0)),
                "n": replications,
            },
            "resolved": {"p10": 1700.0, "p50": 2400.0, "p90": None, "n": replications},
        },
    }


def _milestone(p10: float, p50: float, p90: float, *, never: bool = False) -> dict[str, Any]:
    ends = {"p10": (p10, False), "p50": (p50, False), "p90": (p90, never)}
    return {key: {"value": value, "low": None, "high": None, "censored": cut} for key, (value, cut) in ends.items()}


def _result(name: str, values: np.ndarray[Any, Any], events: Sequence[Event]) -> dict[str, Any]:
    kpi = KPIS[name]
    judged = values[~np.isnan(values)]
    result: dict[str, Any] = {"kpi": name, "unit": kpi.unit, "value": None, "target": None, "grade": "UNKNOWN", "evidence": []}
    result |= {"unknown": len(values) - len(judged), "not_applicable": 0, "note": ""}
    target = default_target(kpi)
    result["target"] = format_target(name, target) if target else None
    if not len(judged):
        return result | {"note": "the timeline holds no evidence for it"}
    result["value"] = None if math.isinf(judged[0]) else float(judged[0])
    if math.isinf(judged[0]):
        result["censored_at"] = 2400.0
    for label, q in (("p50", 0.5), ("p90", 0.9 if kpi.better == "lower" else 0.1)):
        found = quantile(judged, q, bound=2400.0)
        result[label] = {"value": found.value, "low": found.low, "high": found.high, "censored": found.censored}
    if target:
        passed = share(int(sum(target.met(float(value)) for value in judged)), len(judged))
        result["pass_rate"] = {"value": passed.value, "low": passed.low, "high": passed.high}
        result["grade"] = "P" if passed.value >= 0.9 else "S" if passed.value > 0.7 else "M" if passed.value > 0.4 else "U"
    else:
        result["grade"] = "UNGRADED"
    result["evidence"] = [
        {"index": i, "t": one.t, "kind": one.kind, "subject": one.subject}
        for i, one in enumerate(events)
        if one.kind in {"impact.started", "page.sent"}
    ][:2]
    return result


def _objective(kpi: str, statistic: str, target: str, found: Any, *, met: bool | None, gate: bool) -> dict[str, Any]:
    judged = found[kpi][~np.isnan(found[kpi])]
    base = {"kpi": kpi, "statistic": statistic, "target": target, "weight": 1.0, "gate": gate, "met": met}
    if not len(judged):
        return {**base, "value": None, "why": "it could not be judged"}
    one = quantile(judged, 0.9, bound=2400.0)
    return {**base, "value": one.value, "low": one.low, "high": one.high, "censored": one.censored}


def make_run(
    path: Path,
    *,
    scenario: str = SCENARIO + PUBLISHED,
    events: Sequence[Event] | None = None,
    series: SeriesSet | None = None,
    replications: int = 30,
    changed: dict[str, Any] | None = None,
    seed: int = 7,
    found: dict[str, np.ndarray[Any, Any]] | None = None,
) -> RunFolder:
    """Write a run folder; `changed` replaces keys of scores.json."""
    rng = np.random.default_rng(seed)
    folder = RunFolder(path)
    timeline = Timeline({}, region_loss_events() if events is None else events)
    series = region_loss_series(rng) if series is None else series
    found = samples(rng, replications) if found is None else found
    folder.write_text(folder.scenario, scenario)
    folder.write_bytes(folder.timeline, timeline.to_bytes())
    if len(series):
        series.write_parquet(folder.series)
    table = pa.table({"replication": np.arange(replications), **found})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    folder.write_bytes(folder.replications, buffer.getvalue())
    content = {**scores(found, timeline, replications), **(changed or {})}
    folder.write_text(folder.scores, json.dumps(content, allow_nan=False))
    folder.write_record(
        RunRecord(
            scenario="region-loss",
            scenario_sha256=sha256(scenario.encode()).hexdigest(),
            seed=seed,
            replications=replications,
            completed=replications,
            interrupted=False,
            versions={"gameday": "0.1.0", "python": "3.11.9", "numpy": "2.1.0", "simpy": "4.1.1"},
            arguments=("run", "scenarios/region-loss.yaml", "--seed", str(seed)),
            started="2026-03-01T10:00:00+00:00",
            finished="2026-03-01T10:00:42+00:00",
            timeline_sha256=timeline.digest(),
        )
    )
    return folder
