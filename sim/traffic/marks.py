"""What an engine notes about the requests it was told to trace: one mark per thing that happens to them, in order.

The rule that surprises: marks are raw. Whose visit an attempt was and what a request died of is put together in `sim.tracing`, so
that an engine only has to say what it does anyway.
"""

from __future__ import annotations

from typing import NamedTuple

ENTERED, SENT, STARTED, LEFT, SETTLED, FAILED, OVER = range(7)
"""A request enters (`edge` is its flow); an attempt is sent, is given a slot, gives it back with an outcome; its caller has a good answer,
or none (also of attempts that were never sent, whose `sequence` is 0); the request has its fate."""


class Mark(NamedTuple):
    """Something that happened to a traced request. `sequence` names the attempt, `parent` the attempt whose visit made the call (0: a client)."""

    t: float
    kind: int
    root: int
    sequence: int = 0
    parent: int = 0
    edge: int = -1
    station: int = -1
    instance: int = -1
    number: int = 0
    outcome: int = 0
