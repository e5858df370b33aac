"""What breaks, where, from when, for how long; planned maintenance; background failures.

The classic one-line form is `kill region/eu-1 at 10m for 20m`, with parameters as `key=value` after the target:
`slow service/payments factor=8 at 10m for 15m`. Without `for`, a fault lasts until somebody mends it or the run ends.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration

_LINE = re.compile(
    r"^(?P<fault>[a-z_]+)\s+(?P<target>\S+)(?P<parameters>(?:\s+[a-z_]+=\S+)*)\s+at\s+(?P<at>\S+)(?:\s+for\s+(?P<lasts>\S+))?$"
)


def _one_line(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = _LINE.match(" ".join(value.split()))
    if found is None:
        raise ValueError(
            "expected '<fault> <target> [key=value ...] at <time> [for <time>]', e.g. 'kill region/eu-1 at 10m for 20m'"
        )
    parameters = dict(part.split("=", 1) for part in found["parameters"].split())
    line: dict[str, Any] = {"fault": found["fault"], "target": found["target"], "at": found["at"], "with": parameters}
    if found["lasts"]:
        line["for"] = found["lasts"]
    return line


class LiveProof(Strict):
    """A Chaos Toolkit probe that shows whether the fault bites."""

    provider: dict[str, Any]
    """Provider of the probe."""
    tolerance: Any
    """What it must answer while the fault is in place."""


class LiveActivity(Strict):
    """Chaos Toolkit activities that stand for a fault when the day is live; the simulator plays the fault itself."""

    provider: dict[str, Any]
    """Provider of the action that puts the fault in place."""
    rollback: dict[str, Any]
    """Provider of the action that takes it away; it must be harmless when there is nothing to take away."""
    proof: LiveProof | None = None
    """What shows that the fault bites; without one the verdict is inconclusive."""


class ScheduledFault(Strict):
    """One fault of the plan; in short `<fault> <target> [key=value ...] at <time> [for <time>]`."""

    fault: str
    """Kind of fault: a file in `gameday/faults/`."""
    target: str
    """Selector of the failure domain it hits."""
    at: Duration
    """Start, from the start of the run."""
    lasts: Duration | None = Field(default=None, alias="for")
    """Length; none = until mended."""
    parameters: dict[str, Any] = Field(default={}, alias="with")
    """Parameters of the fault; which ones is up to the fault."""
    live: LiveActivity | None = None
    """What does it to a real system, where gameday's own adapters do not, or not like this."""
    note: str | None = None
    """What it stands for."""


class Maintenance(Strict):
    """Planned work: announced, so that its alerts are silenced when change management says so."""

    what: str
    """What is done."""
    target: str
    """Selector of what is out of service."""
    at: Duration
    """Start."""
    lasts: Duration = Field(alias="for")
    """Length."""
    silence: bool = True
    """Whether alerts on the target are silenced through the change calendar."""


class Background(Strict):
    """Failures that come by themselves, as a renewal process: exponential times to failure and to repair."""

    target: str
    """Selector; every member fails independently of the others."""
    together: bool = False
    """Whether all members fail at once, as one: a common cause, e.g. the power of a group of machines."""
    fault: str = "kill"
    """Kind of fault."""
    parameters: dict[str, Any] = Field(default={}, alias="with")
    """Parameters of the fault."""
    mtbf: Duration
    """Mean time between failures of one member, or of all when they fail together."""
    mttr: Duration
    """Mean time to repair."""


class Schedule(Strict):
    """The plan of the day."""

    faults: list[Annotated[ScheduledFault, BeforeValidator(_one_line)]] = []
    """Faults in the plan, in short or long form."""
    maintenance: list[Maintenance] = []
    """Planned maintenance."""
    background: list[Background] = []
    """Background failures."""
