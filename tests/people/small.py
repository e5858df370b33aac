"""A small day for tests of monitoring and people: one shop in two regions, a few requests a second, a team of four."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gameday.scenario.model import Scenario
from gameday.timeline import Event, Timeline
from sim import run

SMALL = 0.01
"""Standard deviation of times that are to be all but fixed."""


def fixed(median_s: float) -> dict[str, float]:
    """A time that hardly varies."""
    return {"median": median_s, "sigma": SMALL}


def merged(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `patch` on top; mappings are merged key by key, a value `None` takes the key out."""
    result = dict(base)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping) and "=" not in value:
            result[key] = merged(result[key], value)
        else:
            result[key] = value.get("=", value) if isinstance(value, Mapping) else value
    return result


BASE: dict[str, Any] = {
    "gameday": 1,
    "name": "small",
    "title": "t",
    "teaches": "t",
    "starts": "2026-03-02T10:00:00+00:00",
    "duration": "20m",
    "warmup": "1m",
    "system": {
        "regions": {"a": {"zones": ["a1"]}, "b": {"zones": ["b1"]}},
        "traffic": {"origins": {"west": {"share": "50%", "region": "a"}, "east": {"share": "50%", "region": "b"}}},
        "services": {
            "shop": {
                "owner": "shop",
                "runbook": "https://runbooks.example/shop",
                "instances": 2,
                "slots": 20,
                "service_time": "constant 5ms",
                "timeout": "1s",
                "boot": "5s",
            },
        },
        "money": {"lost_request": {"buy": 10}},
    },
    "load": {"classes": {"buy": {"priority": "critical", "entry": "shop", "rate": "4/s", "timeout": "2s"}}},
    "schedule": {"faults": ["errors service/shop ratio=100% at 3m"]},
    "monitoring": {
        "scrape": "10s",
        "evaluation": "10s",
        "rules": {
            "errors": {
                "kind": "threshold",
                "on": "class/buy",
                "indicator": "error_ratio",
                "above": "20%",
                "window": "30s",
                "team": "shop",
            }
        },
        "grouping": {"wait": "10s"},
        "customer_reports": {"enabled": False},
    },
    "response": {
        "people": {"ana": {}, "bo": {}, "cy": {}, "di": {}},
        "teams": {"shop": {"members": ["ana", "bo"]}},
        "escalations": {"default": {"levels": [{"notify": ["person/ana"], "after": "5m"}, {"notify": ["person/bo"]}]}},
        "roles": {"incident_commander": ["ana"], "communications": ["cy"], "legal": ["di"]},
        "runbooks": {"errors": {"action": "restart"}},
        "timing": {
            "notice": fixed(60),
            "notice_asleep": fixed(200),
            "miss": 0,
            "miss_asleep": 0,
            "engage": fixed(30),
            "engage_asleep": fixed(300),
            "diagnose": fixed(120),
            "wrong_turn": 0,
            "decide": fixed(20),
            "act": fixed(40),
            "action_failure": 0,
            "assemble": fixed(60),
        },
    },
    "communication": {
        "audiences": {
            "customers": {
                "channel": "status_page",
                "external": True,
                "approvals": ["incident_commander"],
                "first_within": "5m",
                "every": "10m",
                "severities": ["sev1", "sev2", "sev3"],
            }
        },
        "draft": fixed(60),
        "approve": fixed(30),
        "status_page": {"retype": fixed(30)},
        "confirm_recovery": "2m",
    },
}


@dataclass(frozen=True)
class Played:
    """A day that was played."""

    scenario: Scenario
    timeline: Timeline

    def of(self, *kinds: str, **data: object) -> list[Event]:
        """Events of these kinds, those with this data."""
        return [event for event in self.timeline.of(*kinds) if all(event.data.get(key) == value for key, value in data.items())]

    def first(self, kind: str, **data: object) -> Event:
        """The first such event, which must be there."""
        found = self.of(kind, **data)
        assert found, f"no {kind} with {data}"
        return found[0]

    def notes(self, words: str) -> list[Event]:
        """Notes that hold these words."""
        return [event for event in self.timeline.of("note") if words in event.text("text")]


def scenario(*patches: Mapping[str, Any]) -> Scenario:
    """The small day with changes."""
    data: Mapping[str, Any] = BASE
    for patch in patches:
        data = merged(data, patch)
    return Scenario.model_validate(data)


def play(*patches: Mapping[str, Any], seed: int = 1, replication: int = 0) -> Played:
    """Play the small day with changes."""
    chosen = scenario(*patches)
    return Played(chosen, run(chosen, seed, replication).timeline)
