"""Hand-written days for the scorers: a small scenario, and a builder that writes one event a line.

    day = Day().fault(600, "kill region/eu-1", until=1200).impact(610, 1300)
    day.at(650, "page.delivered", "class/checkout", page="p1", person="ana")

Keys that a kind requires and a test does not care about are filled in, so every event is one that a timeline of ours may hold.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from gameday.scenario.model import Scenario
from gameday.scores import Recording, Result, Scorecard, score
from gameday.timeline import JSON, Event, Series, SeriesSet, Timeline
from gameday.timeline_kinds import KINDS

END_S = 3600.0

SCENARIO: Mapping[str, Any] = {
    "gameday": 1,
    "name": "region-loss",
    "title": "A region goes dark",
    "teaches": "What it takes to leave it.",
    "starts": "2026-03-10T10:00:00+00:00",
    "duration": END_S,
    "warmup": 60.0,
    "system": {
        "regions": {"eu-1": {"zones": ["eu-1a"]}, "eu-2": {"zones": ["eu-2a"]}},
        "services": {
            "shop": {
                "instances": 2,
                "slots": 8,
                "service_time": {"family": "constant", "mean": 0.01},
                "owner": "shop",
                "cost_per_hour": 2.0,
                "calls": [{"to": "database/orders", "operation": "write"}],
            },
            "reports": {"instances": 1, "slots": 2, "service_time": {"family": "constant", "mean": 0.1}},
        },
        "databases": {
            "orders": {
                "primary": "eu-1a",
                "replicas": ["eu-2a"],
                "slots": 4,
                "service_time": {"family": "constant", "mean": 0.01},
            }
        },
        "traffic": {"origins": {"west": {"share": 0.5, "region": "eu-1"}, "east": {"share": 0.5, "region": "eu-2"}}},
        "money": {"currency": "EUR", "lost_request": {"checkout": 10.0}},
    },
    "load": {
        "classes": {
            "checkout": {"priority": "critical", "entry": "shop", "rate": {"shape": "constant", "rate": 10.0}},
            "browse": {"priority": "best_effort", "entry": "shop", "rate": {"shape": "constant", "rate": 20.0}},
        }
    },
    "policies": {"failover": {"mode": "automatic", "pairs": {"eu-1": "eu-2"}}},
    "monitoring": {
        "rules": {
            "checkout-errors": {
                "kind": "threshold",
                "on": "class/checkout",
                "indicator": "error_ratio",
                "above": 0.05,
                "for": 30.0,
            }
        }
    },
    "response": {
        "people": {"ana": {}, "bo": {}, "cleo": {}},
        "teams": {"shop": {"members": ["ana", "bo"]}},
        "escalations": {
            "default": {
                "levels": [
                    {"notify": ["person/ana"], "after": 300.0},
                    {"notify": ["person/bo"], "after": 300.0},
                    {"notify": ["person/cleo"], "after": 300.0},
                ],
                "repeat": 0,
            }
        },
        "roles": {"incident_commander": ["cleo"], "communications": ["bo"]},
    },
    "communication": {
        "audiences": {
            "customers": {
                "channel": "status_page",
                "external": True,
                "approvals": ["incident_commander"],
                "first_within": 600.0,
                "every": 1200.0,
            },
            "support": {"channel": "chat", "first_within": 900.0, "every": None},
        }
    },
}


def scenario(**changes: Any) -> Scenario:
    """The scenario, with values at paths (`policies__failover__mode="none"`) changed."""
    content = copy.deepcopy(dict(SCENARIO))
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = content
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return Scenario.model_validate(content)


class Day:
    """One run, written event by event."""

    def __init__(self, end_s: float | None = END_S, **changes: Any) -> None:
        """A run that starts at 0 and ends at `end_s`; None = it breaks off."""
        self.scenario = scenario(**changes)
        self.events: list[Event] = []
        self.series: list[Series] = []
        self.source: Any = "sim"
        self._faults = 0
        self.at(0, "run.started", "region-loss", scenario="region-loss", duration_s=END_S)
        if end_s is not None:
            self.at(end_s, "run.ended", "region-loss")

    def at(self, t: float, kind: str, subject: str = "", **data: JSON) -> Day:
        """An event; keys that are Python words have an underscore at the end."""
        written = {key.removesuffix("_"): value for key, value in data.items()}
        filled = {name: _something(KINDS[kind].keys[name].type, KINDS[kind].keys[name].choices) for name in KINDS[kind].required}
        self.events.append(Event(t, kind, subject or kind.partition(".")[0], self.source, {**filled, **written}))
        return self

    def fault(self, t: float, what: str, until: float | None = None) -> Day:
        """A fault `kill region/eu-1`, healed at `until` or never."""
        kind, selector = what.split()
        data: dict[str, JSON] = {
            "fault": kind,
            "index": self._faults,
            "selector": selector,
            "origin": "schedule",
            "parameters": {},
        }
        self._faults += 1
        self.at(t, "fault.injected", f"fault/{data['index']}", **data)
        return self if until is None else self.at(until, "fault.healed", f"fault/{data['index']}", **data)

    def impact(self, t: float, until: float | None = None, request_class: str = "checkout", worst: float = 0.4) -> Day:
        """Users of a class are hurt, until they are well or to the end."""
        subject = f"class/{request_class}"
        self.at(t, "impact.started", subject, flow=request_class, good_ratio=worst, objective=0.95)
        if until is None:
            return self
        return self.at(until, "impact.ended", subject, flow=request_class, good_ratio=1.0, objective=0.95, worst_good_ratio=worst)

    def page(self, t: float, person: str = "ana", page: str = "page/1", level: int = 1, **more: Any) -> Day:
        """A page that reaches its person five seconds later; `acknowledged=t` when they took it."""
        subject, rules = more.get("subject", "class/checkout"), more.get("rules", ["checkout-errors"])
        self.at(t, "page.sent", subject, page=page, person=person, level=level, channel="push", urgency="high", rules=rules)
        self.at(t + 5, "page.delivered", subject, page=page, person=person)
        if (taken := more.get("acknowledged")) is not None:
            self.at(taken, "page.acknowledged", subject, page=page, person=person, after_s=taken - t)
        return self

    def say(self, t: float, audience: str = "customers", phase: str = "investigating", **more: Any) -> Day:
        """A message that is published, approved as the plan asks unless the test says otherwise."""
        data = {
            "message": f"message/{t}",
            "audience": audience,
            "phase": phase,
            "channel": "status_page",
            "text": "We are looking at it.",
            "author": "bo",
            "role": "communications",
            "approvals": ["incident_commander/cleo"],
        }
        return self.at(t, "message.published", f"audience/{audience}", **{**data, **more})

    def rate(self, name: str, spans: Sequence[tuple[float, float, float]], step_s: float = 1.0, **labels: str) -> Day:
        """A series of rates: for each (start, end, value) the value in the bins that end after start and not after end."""
        times: list[float] = []
        values: list[float] = []
        for start_s, end_s, value in spans:
            count = round((end_s - start_s) / step_s)
            times += [start_s + step_s * (number + 1) for number in range(count)]
            values += [value] * count
        return self.samples(name, times, values, **labels)

    def samples(self, name: str, times: Sequence[float], values: Sequence[float], **labels: str) -> Day:
        """A series of values."""
        self.series.append(Series(name, {key.removesuffix("_"): value for key, value in labels.items()}, times, values))
        return self

    def requests(self, hurt: tuple[float, float] | None = None, good: float = 0.2, origin: str = "west", **more: Any) -> Day:
        """Ten requests of checkout a second, of which in the hurt time only a share is answered well."""
        name = more.get("request_class", "checkout")
        labels = {"class": name, "origin": origin}
        start_s, end_s = hurt or (END_S, END_S)
        spans = [(0.0, start_s, 10.0), (start_s, end_s, 10.0 * good), (end_s, END_S, 10.0)]
        self.rate("requests.offered", [(0.0, END_S, 10.0)], **labels)
        self.rate("requests.good", spans, **labels)
        if hurt:
            self.rate("requests.lost", [(start_s, end_s, 10.0 * (1 - good))], reason=more.get("reason", "refused"), **labels)
        return self

    def recording(self) -> Recording:
        """What the scorers are given."""
        return Recording(Timeline({}, self.events), SeriesSet(self.series))

    def card(self) -> Scorecard:
        """The day, judged."""
        return score(self.recording(), self.scenario)

    def result(self, kpi: str) -> Result:
        """One KPI of the day."""
        return self.card().result(kpi)


def _something(kind: str, choices: tuple[str, ...]) -> JSON:
    if choices:
        return choices[0]
    found: dict[str, JSON] = {
        "text": "something",
        "number": 0,
        "text or number": 0,
        "flag": False,
        "list": [],
        "map": {},
        "list or map": [],
    }
    return found[kind]
