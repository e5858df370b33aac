"""The scenario language: a game day as YAML, read into frozen models with every problem reported at once.

`read_scenario(path)` is all most callers need. Includes are looked for beside the file and then among the shipped scenarios.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario

__all__ = ["digest", "dump", "read_played", "read_scenario"]


def read_scenario(path: Path | str, overrides: Iterable[str] = ()) -> Scenario:
    """Read, merge, override, validate and cross-check a scenario.

    `overrides` are assignments such as `policies.failover.dns_ttl=30s`. Raises BadInput with all problems found.
    """
    from gameday.scenario.at_once import scenario_of
    from gameday.scenario.includes import read_with_includes
    from gameday.scenario.overrides import apply_overrides
    from gameday.shipped import shipped_scenarios

    document = apply_overrides(read_with_includes(path, [shipped_scenarios()]), overrides)
    document.data.pop("include", None)
    return scenario_of(document)


def read_played(path: Path | str) -> Scenario:
    """A scenario that has passed its checks before: that of a run folder. Only its shape is checked, not whether it makes sense."""
    from gameday.scenario.includes import read_with_includes
    from gameday.scenario.model import Scenario
    from gameday.scenario.validation import validate
    from gameday.shipped import shipped_scenarios

    document = read_with_includes(path, [shipped_scenarios()])
    document.data.pop("include", None)
    return validate(Scenario, document)


def dump(scenario: Scenario) -> str:
    """The scenario as complete YAML: includes merged, counts filled in, every default written out, quantities as people write them.

    Loading it gives the same scenario.
    """
    from gameday.scenario.writing import yaml_text

    return yaml_text(scenario.model_dump(mode="json", by_alias=True))


def digest(scenario: Scenario) -> str:
    """SHA-256 of the resolved scenario: two scenarios with the same digest are the same game day."""
    from hashlib import sha256

    return sha256(dump(scenario).encode()).hexdigest()
