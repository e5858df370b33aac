"""The labels of an alert, from its rule and its subject: rule, severity, team, component, region, origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from gameday.alerting.alert import Labels, labels_of

if TYPE_CHECKING:
    from gameday.scenario.system import System

Place = Literal["region", "origin"]


BUILT_IN = ("rule", "severity", "team", "component", "region", "origin")
"""Labels that every alert may have; rules cannot be given them, but for `rule` (the name the alert has elsewhere), and `severity` where a
routing tree decides what pages."""


def alert_labels(
    rule: str,
    severity: str,
    team: str | None,
    subject: str,
    *,
    owners: Mapping[str, str],
    place: Place = "region",
    further: Mapping[str, str] | None = None,
) -> Labels:
    """Labels of a rule's alert about a subject. Without a `team` of the rule, the owner of the component has it.

    `service/checkout@eu-1` has component `service/checkout` and region `eu-1`; `region/eu-1` has its own name as region. `place` says
    what stands after the `@`: a region, or for probes the origin they come from. `further` are the labels the rule is given.
    """
    component, _, narrowed_to = subject.partition("@")
    kind, _, name = component.partition("/")
    return labels_of(
        {
            **(further or {}),
            "rule": (further or {}).get("rule", rule),
            "severity": (further or {}).get("severity", severity),
            "team": team or owners.get(component, ""),
            "component": "" if kind == "rule" else component,
            place: narrowed_to or (name if kind == "region" else ""),
        }
    )


def owners(system: System) -> dict[str, str]:
    """Component to the team that owns it: services, databases, and queues through the service that works on them."""
    found = {f"service/{name}": service.owner for name, service in system.services.items()}
    found |= {f"database/{name}": database.owner for name, database in system.databases.items()}
    found |= {
        f"queue/{name}": system.services[queue.consumer].owner
        for name, queue in system.queues.items()
        if queue.consumer in system.services
    }
    return {component: owner for component, owner in found.items() if owner is not None}
