"""What a table of settings and their effects is made of: days that differ in one field, and what must then be otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.people.small import merged

Patch = Mapping[str, Any]


@dataclass(frozen=True)
class Effect:
    """A day, a change of one field, and what must then be otherwise."""

    change: Patch
    kinds: tuple[str, ...]
    day: Patch = field(default_factory=dict)
    seeds: int = 1
    """Seeds of which at least one must show it (for chances)."""


def monitoring(**patch: Any) -> Patch:
    return {"monitoring": patch}


def response(**patch: Any) -> Patch:
    return {"response": patch}


def communication(**patch: Any) -> Patch:
    return {"communication": patch}


def timing(**patch: Any) -> Patch:
    return response(timing=patch)


def audience(**patch: Any) -> Patch:
    return communication(audiences={"customers": patch})


def rules(**patch: Any) -> Patch:
    return monitoring(rules={"errors": None, **patch})


def faults(*lines: str) -> Patch:
    return {"schedule": {"faults": list(lines)}}


def together(*patches: Patch) -> Patch:
    result: Patch = {}
    for patch in patches:
        result = merged(result, patch)
    return result
