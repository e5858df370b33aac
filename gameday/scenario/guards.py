"""What a service does about too much work: who is dropped from its queue."""

from __future__ import annotations

from gameday.scenario.base import Strict
from gameday.scenario.quantities import Duration


class CoDel(Strict):
    """Controlled delay: whoever has waited longer than `interval` when a slot is free is dropped, and whoever has waited longer than
    `target` once the queue has not been empty for `interval`. As in B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015, with its values."""

    target: Duration = 0.005
    """Longest wait while the queue stands."""
    interval: Duration = 0.1
    """Longest wait otherwise, and the time after which the queue counts as standing."""
