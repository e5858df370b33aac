"""Ways of reaching somebody: how long a message takes, and how many a paging service sends.

    limits = SendingLimits(GOALERT)
    limits.free_at("ana", "voice", now)               # now, or when the service would send the next call
    limits.sent("ana", "voice", now)

The rule that surprises: a message that has to wait is not lost yet. It is lost when the page no longer waits for this person by the time
it may be sent, which is what happens in an alert storm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gameday.scenario.oncall import ContactMethod

DELIVERY_S: Mapping[ContactMethod, float] = {"push": 5.0, "sms": 10.0, "voice": 20.0, "email": 60.0, "console": 0.0}
"""From the paging service to the device, by way of contact. Assumption: push takes seconds, a call rings, mail is polled, and a
console shows it at once."""

Limit = tuple[int, float]
"""So many messages in so many seconds."""

MINUTE_S, HOUR_S = 60.0, 3600.0
GOALERT: Mapping[ContactMethod, Sequence[Limit]] = {
    "push": ((1, MINUTE_S),),
    "email": ((1, MINUTE_S),),
    "sms": ((1, MINUTE_S), (5, 15 * MINUTE_S), (11, HOUR_S), (21, 3 * HOUR_S)),
    "voice": ((1, MINUTE_S), (3, 15 * MINUTE_S), (7, HOUR_S), (15, 3 * HOUR_S)),
}
"""Limits per person and way of contact as GoAlert has them (target/goalert, engine/message/ratelimit.go)."""


@dataclass(slots=True)
class SendingLimits:
    """What a paging service has sent, and when it may send again."""

    limits: Mapping[ContactMethod, Sequence[Limit]]
    """None for a way of contact = no limit."""
    _sent: dict[tuple[str, ContactMethod], list[float]] = field(default_factory=dict)

    def free_at(self, person: str, method: ContactMethod, now: float) -> float:
        """The first instant from `now` on at which a message may be sent."""
        times = self._sent.get((person, method), [])
        free = now
        for most, window_s in self.limits.get(method, ()):
            if len(times) >= most:
                free = max(free, times[-most] + window_s)
        return free

    def sent(self, person: str, method: ContactMethod, now: float) -> None:
        """A message is sent."""
        times = self._sent.setdefault((person, method), [])
        assert not times or times[-1] <= now, "messages are sent in the order of time"
        times.append(now)
