"""The cast of a replication: who is awake, who is busy with what, and how long their phases take.

Sleep inertia slows thinking after waking and fades; it never slows fingers. Source of the form: Jewett 1999 (exponential recovery);
its size is an assumption that the scenario sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import exp

from gameday.people import is_asleep, wall_time
from gameday.scenario.response import LogNormal, Response
from sim.draws import sample
from sim.streams import Draws
from sim.world import World

CONCURRENT_PAGE_FACTOR = 0.70
"""Chance of reacting to a page, per further page that is open at the same time (Ancker et al. 2017: -30 % per reminder)."""


@dataclass(slots=True)
class Member:
    """One person in the course of the day."""

    name: str
    draws: Draws
    woken_at: float | None = None
    at_desk: bool = False
    role: str | None = None
    open_pages: int = 0


class Cast:
    """Everybody, with their state."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.response: Response = world.scenario.response
        self.timing = self.response.timing
        self.members = {name: Member(name, world.streams.draws(f"person/{name}")) for name in self.response.people}

    def wall(self) -> datetime:
        """Wall time now."""
        return wall_time(self._world.scenario.starts, self._world.env.now)

    def asleep(self, name: str) -> bool:
        """Whether a person sleeps now: their hours say so and nobody has woken them in this run."""
        member = self.members[name]
        return member.woken_at is None and not member.at_desk and is_asleep(self.response.people[name], self.wall())

    def wake(self, name: str) -> None:
        """Note that somebody was woken."""
        if self.asleep(name):
            self.members[name].woken_at = self._world.env.now

    def notices(self, name: str) -> bool:
        """Whether a page is noticed: less likely asleep, and less likely among other open pages."""
        member = self.members[name]
        miss = self.timing.miss_asleep if self.asleep(name) else self.timing.miss
        chance = (1.0 - miss) * CONCURRENT_PAGE_FACTOR ** max(0, member.open_pages - 1)
        return member.draws.uniform() < chance

    def notice_s(self, name: str) -> float:
        """From the page to the acknowledgement."""
        return self.draw(name, self.timing.notice_asleep if self.asleep(name) else self.timing.notice)

    def engage_s(self, name: str) -> float:
        """From the acknowledgement to the desk; nothing for somebody who is there."""
        member = self.members[name]
        if member.at_desk:
            return 0.0
        return self.draw(name, self.timing.engage_asleep if member.woken_at is not None else self.timing.engage)

    def think_s(self, name: str, distribution: LogNormal) -> float:
        """A time of thinking, longer right after waking."""
        return self.draw(name, distribution) * self.inertia(name)

    def inertia(self, name: str) -> float:
        """Factor on thinking: 1 + amplitude x exp(-time awake / time constant) for somebody who was woken."""
        woken = self.members[name].woken_at
        if woken is None:
            return 1.0
        return 1.0 + self.timing.sleep_inertia * exp(-(self._world.env.now - woken) / max(1.0, self.timing.sleep_inertia_fades))

    def draw(self, name: str, distribution: LogNormal) -> float:
        """A time drawn from a person's own stream."""
        return sample(distribution, self.members[name].draws)
