"""The regulatory clocks of a day: told what happens, and put on record as they start, are met or run out."""

from __future__ import annotations

from collections.abc import Callable

from gameday.clocks import ClockEvent, ClockMachine
from gameday.instants import earliest
from sim.day import Day
from sim.processes import Process

LOOK_EVERY_S = 15.0


class RegulatoryClocks:
    """All clocks of the communication plan."""

    def __init__(self, day: Day) -> None:
        self._day = day
        self._world = day.world
        self._clocks = [ClockMachine(name, clock) for name, clock in day.world.scenario.communication.clocks.items()]
        self.on_started: Callable[[str], None] = lambda _audience: None
        """Told the audience of each clock that asks for its message, when it starts."""
        day.world.listeners.append(self._on_world)
        if self._clocks:
            day.world.env.process(self._tick())

    def happened(self, kind: str, at: float | None = None) -> None:
        """Something happened, now or a moment ago."""
        for clock in self._clocks:
            self._record(clock, clock.happened(kind, self._world.env.now if at is None else at))

    def published(self, audience: str) -> None:
        """A message to an audience is out."""
        for clock in self._clocks:
            self._record(clock, clock.published(audience, self._world.env.now))

    def _on_world(self, what: str, subject: str) -> None:
        active = self._day.impacts.active
        if what == "impact.started" and subject in active and len(active) == 1:
            self.happened("impact.started", active[subject].started)
        elif what == "impact.ended" and not active:
            self.happened("impact.ended")

    def _tick(self) -> Process:
        """Look at the clocks when one may change, and now and then for those that have been told something."""
        env = self._world.env
        while True:
            for clock in self._clocks:
                self._record(clock, clock.tick(env.now))
            due = earliest(clock.next_at() for clock in self._clocks)
            pause = LOOK_EVERY_S if due is None or due <= env.now else min(LOOK_EVERY_S, due - env.now)
            yield env.timeout(pause)

    def _record(self, clock: ClockMachine, events: list[ClockEvent]) -> None:
        for event in events:
            data: dict[str, object] = {"clock": event.clock, "regime": event.regime, "anchor": event.anchor, "due_s": event.due_s}
            if event.margin_s is not None:
                data["margin_s"] = event.margin_s
            self._world.recorder.record(event.at, f"clock.{event.change}", f"clock/{clock.name}", data)
            if event.change == "started" and clock.plan.asks:
                self.on_started(clock.plan.audience)
