"""The cast of a replication: who is awake, who is busy with what, and how long their phases take.

Sleep inertia slows thinking after waking and fades; it never slows fingers. Source of the form: Jewett 1999 (exponential recovery);
its size is an assumption that the scenario sets. The rule that surprises: each person has one attention. Writing, approving, deciding
and doing take it in turn, and diagnosis stands still meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from math import exp

import simpy

from gameday.human_factors import CONCURRENT_PAGES, REPEATED_PAGES
from gameday.people import availability, is_asleep, wall_time
from gameday.scenario.response import Response
from gameday.scenario.spread import LogNormal
from sim.draws import sample
from sim.processes import Steps
from sim.streams import Draws
from sim.world import World

AT_DESK_NOTICE_S = 15.0
"""From a page to its acknowledgement by somebody who sits at the dashboards; they miss none that is alone. Assumption."""
BACK_TO_SLEEP_S = 1800.0
"""Somebody who was woken and is no longer needed sleeps again after so long, if it is still their night. Assumption."""

REMEMBERED_PAGES = 20
"""Pages before the day, each about something else, so that the second page of a day is no half of all. Assumption."""

NOW, SOON, FIRST, LATER = range(0, 4_000_000, 1_000_000)
"""What somebody turns to first: deciding, acting and publishing; approving; writing first messages; writing updates. Assumption.

Among equals the one with the lower turn, which is added; there are never a million.
"""
PIECE_S = 30.0
"""Writing can be interrupted so often. Assumption."""


@dataclass(slots=True)
class Member:
    """One person in the course of the day."""

    name: str
    attention: simpy.PriorityResource
    woken_at: float | None = None
    active_at: float | None = None
    """When they were last woken or left their desk."""
    paged_at: float | None = None
    """When they were first called since they last left their desk."""
    at_desk: bool = False
    desk_at: float | None = None
    """When they came to the desk."""
    roles: set[str] = field(default_factory=set)
    open_pages: int = 0
    """Pages that wait for an answer of theirs, when they were last sent one."""
    had: set[tuple[str, ...]] = field(default_factory=set)
    """What they have been paged about."""
    pages: int = 0
    repeated: int = 0
    """Pages, and those of them that were about what they had been paged about before."""
    streams: dict[str, Draws] = field(default_factory=dict)


class Cast:
    """Everybody, with their state."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.response: Response = world.scenario.response
        self.timing = self.response.timing
        self.members = {name: Member(name, simpy.PriorityResource(world.env)) for name in self.response.people}

    # -- chance: a stream per person and purpose, so that one more message moves no acknowledgement ---------------------

    def draws(self, name: str, purpose: str) -> Draws:
        """The stream of one person for one purpose."""
        streams = self.members[name].streams
        if purpose not in streams:
            streams[purpose] = self._world.streams.draws(f"person/{name}/{purpose}")
        return streams[purpose]

    def draw(self, name: str, distribution: LogNormal, purpose: str) -> float:
        """A time drawn from a person's stream."""
        return sample(distribution, self.draws(name, purpose))

    def chance(self, name: str, purpose: str) -> float:
        """A uniform number from a person's stream."""
        return self.draws(name, purpose).uniform()

    # -- night and day --------------------------------------------------------------------------------------------------

    def wall(self) -> datetime:
        """Wall time now."""
        return wall_time(self._world.scenario.starts, self._world.env.now)

    def is_night(self, name: str) -> bool:
        """Whether a person sleeps at this hour if nobody wakes them."""
        return is_asleep(self.response.people[name], self.wall())

    def asleep(self, name: str) -> bool:
        """Whether a person sleeps now: it is their night, they are not at the desk, and were not up a moment ago."""
        member = self.members[name]
        if member.at_desk or not self.is_night(name):
            return False
        return member.active_at is None or self._world.env.now - member.active_at >= BACK_TO_SLEEP_S

    def reachable(self, name: str) -> bool:
        """Whether somebody can be called for an approval or a role at this hour."""
        return self.members[name].at_desk or availability(self.response.people[name], self.wall()) != "unavailable"

    def wake(self, name: str) -> None:
        """Note that somebody was woken, if they slept."""
        if self.asleep(name):
            self.members[name].woken_at = self.members[name].active_at = self._world.env.now

    def leave(self, name: str) -> None:
        """Somebody is no longer needed."""
        member = self.members[name]
        if member.at_desk:
            member.active_at = self._world.env.now
        member.at_desk, member.paged_at, member.desk_at = False, None, None
        member.roles.clear()

    # -- being called ---------------------------------------------------------------------------------------------------

    def paged(self, name: str, rules: tuple[str, ...]) -> None:
        """Somebody is sent a page about some rules, maybe not for the first time."""
        member = self.members[name]
        member.pages += 1
        member.repeated += rules in member.had
        member.had.add(rules)

    def fatigue(self, name: str) -> float:
        """Factor on noticing a page, from the share of pages that somebody has had before."""
        member = self.members[name]
        share = member.repeated / (REMEMBERED_PAGES + member.pages)
        return float(REPEATED_PAGES.value ** (share / 0.05))

    def notices(self, name: str) -> bool:
        """Whether a page is noticed: less likely asleep, and less likely among other open pages; at the desk always where it is alone."""
        member = self.members[name]
        miss = 0.0 if member.at_desk else self.timing.miss_asleep if self.asleep(name) else self.timing.miss
        chance = (1.0 - miss) * CONCURRENT_PAGES.value ** max(0, member.open_pages - 1)
        return self.chance(name, "notices") < chance

    def notice_s(self, name: str) -> float:
        """From the page to the acknowledgement."""
        if self.members[name].at_desk:
            return AT_DESK_NOTICE_S
        return self.draw(name, self.timing.notice_asleep if self.asleep(name) else self.timing.notice, "notice")

    def engage_s(self, name: str) -> float:
        """From the acknowledgement to the desk: longer for somebody woken in this night, nothing for somebody who is there."""
        member = self.members[name]
        if member.at_desk:
            return 0.0
        woken = member.woken_at is not None and member.woken_at == member.active_at and self.is_night(name)
        return self.draw(name, self.timing.engage_asleep if woken else self.timing.engage, "engage")

    # -- thinking and doing ---------------------------------------------------------------------------------------------

    def think_s(self, name: str, distribution: LogNormal, purpose: str) -> float:
        """A time of thinking, longer right after waking."""
        return self.draw(name, distribution, purpose) * self.inertia(name)

    def inertia(self, name: str) -> float:
        """Factor on thinking: 1 + amplitude x exp(-time awake / time constant) for somebody who was woken."""
        woken = self.members[name].woken_at
        if woken is None:
            return 1.0
        return 1.0 + self.timing.sleep_inertia * exp(-(self._world.env.now - woken) / max(1.0, self.timing.sleep_inertia_fades))

    def tired(self, name: str) -> bool:
        """Whether somebody has been at the desk for longer than people stay fit."""
        since = self.members[name].desk_at
        return since is not None and self._world.env.now - since >= self.timing.tired_after

    def attend(self, name: str, lasts_s: float, urgency: int = NOW) -> Steps[None]:
        """Do one thing with full attention, when what is being attended to already is done."""
        with self.members[name].attention.request(priority=urgency) as turn:
            yield turn
            yield self._world.env.timeout(lasts_s)

    def together(self, one: str, other: str, lasts_s: float, urgency: int = NOW) -> Steps[None]:
        """Two people talk, and do nothing else; in the order of their names, so that no two talks wait for each other for ever."""
        first, second = sorted((one, other))
        with self.members[first].attention.request(priority=urgency) as turn:
            yield turn
            if second != first:
                with self.members[second].attention.request(priority=urgency) as other_turn:
                    yield other_turn
                    yield self._world.env.timeout(lasts_s)
                return
            yield self._world.env.timeout(lasts_s)

    def waited_s(self, name: str) -> float:
        """How long the oldest thing has been waiting for somebody's attention."""
        waiting = [request.time for request in self.members[name].attention.queue]
        return self._world.env.now - min(waiting) if waiting else 0.0

    def write(self, name: str, lasts_s: float, urgency: int, turn: int) -> Steps[None]:
        """Write something, piece by piece: what is more urgent comes in between, what was begun later (`turn`) does not."""
        left_s = lasts_s
        while left_s > 0.0:
            yield from self.attend(name, min(left_s, PIECE_S), urgency + turn)
            left_s -= PIECE_S

    def is_distracted(self, name: str) -> bool:
        """Whether something else has a person's attention now."""
        return self.members[name].attention.count > 0
