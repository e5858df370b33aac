"""Hands on the real thing: what the faults of a scenario do to systems that run; also an extension of Chaos Toolkit.

`gameday live` compiles a scenario into an experiment whose actions, probes and controls are those of this package; they can be used in
experiments written by hand as well (`chaos discover`). Nothing here imports Locust, and Chaos Toolkit only where it is used.
"""

from __future__ import annotations

from typing import Any


def discover(discover_system: bool = True) -> Any:
    """What this extension brings, as Chaos Toolkit's discovery asks for it; the system itself is in the target file."""
    from chaoslib.discovery.discover import discover_actions, discover_probes, initialize_discovery_result

    from gameday import __version__

    found = initialize_discovery_result("gameday-harness", __version__, "gameday")
    found["activities"].extend(discover_actions("experiments.actions"))
    found["activities"].extend(discover_probes("experiments.probes"))
    del discover_system
    return found
