"""What is in a scenario, for people and for programs: `describe(scenario)`, then `as_text` or `as_json`.

The rule that surprises: a description contains no result. Its numbers are those of the file and estimates that say so.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from gameday.describe.facts import (
    BlastFacts,
    CallFacts,
    DatabaseFacts,
    DemandFacts,
    Description,
    ScheduleFacts,
    ServiceFacts,
)
from gameday.describe.text import as_text

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario

__all__ = [
    "BlastFacts",
    "CallFacts",
    "DatabaseFacts",
    "DemandFacts",
    "Description",
    "ScheduleFacts",
    "ServiceFacts",
    "as_json",
    "as_text",
    "describe",
]


def describe(scenario: Scenario) -> Description:
    """The description of a scenario that has passed its checks."""
    from gameday.describe.collecting import collect

    return collect(scenario)


def as_json(description: Description) -> dict[str, Any]:
    """The description as plain values for JSON; the scenario itself is left out, `gameday.scenario.dump` writes it."""
    return {each.name: _plain(getattr(description, each.name)) for each in fields(description) if each.name != "scenario"}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
