"""Real files of Prometheus and Alertmanager, read into the monitoring of a scenario and written from it.

The rule that surprises: what a scenario cannot evaluate is kept word by word (`monitoring.kept_rules`) and written back; only what
Alertmanager's files say about *how* a receiver is reached (addresses, secrets, templates) is left out, and named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Part:
    """A part of a scenario made from a foreign file, and what the reader should know about it."""

    data: Mapping[str, Any]
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Export:
    """A foreign file made from a scenario, and what it does not say."""

    text: str
    notes: list[str] = field(default_factory=list)
