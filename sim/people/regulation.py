"""The regulatory clocks of a day: told what happens, and put on record as they start, are met or run out. Not legal advice."""

from __future__ import annotations

from collections.abc import Callable

from gameday.clocks import ClockEvent, ClockMachine
from gameday.duty_clock import CLASSIFIED, DutyMachine, OutageMeter, audience_before, calendar_of
from gameday.instants import earliest
from gameday.regimes import DUTIES
from sim.day import Day
from sim.people.cast import SOON, Cast
from sim.people.incident import Incident
from sim.processes import Process

LOOK_EVERY_S = 15.0
MINUTE_S = 60.0
ASK_AGAIN_AFTER_S = 300.0
"""Who did not answer is asked again, or the next one is, after so long (PagerDuty's practice: 5 minutes)."""


class RegulatoryClocks:
    """All clocks of the communication plan."""

    def __init__(self, day: Day, cast: Cast) -> None:
        self._day = day
        self._world = day.world
        self._cast = cast
        scenario = day.world.scenario
        self._plan = scenario.communication.regulation
        days = calendar_of(self._plan)
        self._duties = [
            DutyMachine(name, duty, days, scenario.starts, audience_before(self._plan, name))
            for name, duty in self._plan.duties.items()
        ]
        plain = [ClockMachine(name, clock) for name, clock in scenario.communication.clocks.items()]
        self._clocks: list[ClockMachine | DutyMachine] = [*plain, *self._duties]
        self._meter = OutageMeter(
            [name for name, each in scenario.load.classes.items() if each.priority == "critical"],
            scenario.system.money.currency == "EUR",
        )
        self._classified = False
        self.on_started: Callable[[str, bool], None] = lambda _audience, _by_law: None
        """Told the audience of each clock that asks for its message, when it starts, and whether a law asks."""
        day.world.listeners.append(self._on_world)
        if self._clocks:
            day.world.env.process(self._tick())

    def happened(self, kind: str, at: float | None = None) -> None:
        """Something happened, now or a moment ago."""
        for clock in self._clocks:
            self._record(clock, clock.happened(kind, self._world.env.now if at is None else at))

    def declared(self, incident: Incident) -> None:
        """An incident is declared: somebody has to say what the law takes it for."""
        self.happened("incident.declared")
        if self._plan.classified_by is not None and self._duties and not self._classified:
            self._classified = True
            self._world.env.process(self._classify(incident, self._plan.classified_by))

    def published(self, audience: str) -> None:
        """A message to an audience is out."""
        for clock in self._clocks:
            self._record(clock, clock.published(audience, self._world.env.now))

    def _classify(self, incident: Incident, role: str) -> Process:
        """Ask the holders of the role in turn, as long as the day lasts, until one has looked at it."""
        env, cast = self._world.env, self._cast
        holders = cast.response.roles.get(role, [])
        yield env.timeout(self._plan.classify_after)
        for calls in range(len(holders) * 10_000):
            person = holders[calls % len(holders)]
            if cast.reachable(person) and cast.notices(person):
                yield env.timeout(cast.notice_s(person))
                cast.wake(person)
                yield from cast.attend(person, cast.think_s(person, self._plan.classify, "classify"), SOON)
                anchored = [name for name in self._plan.duties if DUTIES[name].anchor in ("classified", "determined")]
                self._world.record(CLASSIFIED, incident.subject, by=person, role=role, duties=anchored)
                self.happened(CLASSIFIED)
                return
            if calls == len(holders) - 1:
                text = f"nobody of the role of {role} classifies the incident yet"
                self._world.record("note", incident.subject, text=text)
            yield env.timeout(ASK_AGAIN_AFTER_S)

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
            self._measure()
            for clock in self._clocks:
                self._record(clock, clock.tick(env.now))
            due = earliest(clock.next_at() for clock in self._clocks)
            pause = LOOK_EVERY_S if due is None or due <= env.now else min(LOOK_EVERY_S, due - env.now)
            yield env.timeout(pause)

    def _measure(self) -> None:
        """What the outage has done so far, for duties that exist from some size on."""
        measured = [clock for clock in self._duties if clock.plan.only_if is not None]
        now, scenario = self._world.env.now, self._world.scenario
        if not measured or now <= scenario.warmup:
            return
        indicators = self._day.indicators
        goods = {name: indicators.good_ratio(name, MINUTE_S, now) for name in scenario.load.classes}
        lost = {name: 0.0 if good is None else 1.0 - good for name, good in goods.items()}
        prices = scenario.system.money.lost_request
        money = sum(price * indicators.answered(name, now - scenario.warmup, now)[2] for name, price in prices.items())
        outage = self._meter.look(now, lost, money)
        for clock in measured:
            self._record(clock, clock.measured(outage, now))

    def _record(self, clock: ClockMachine | DutyMachine, events: list[ClockEvent]) -> None:
        for event in events:
            data: dict[str, object] = {"clock": event.clock, "regime": event.regime, "anchor": event.anchor, "due_s": event.due_s}
            if event.margin_s is not None:
                data["margin_s"] = event.margin_s
            self._world.recorder.record(event.at, f"clock.{event.change}", f"clock/{clock.name}", data)
            if event.change == "started" and clock.plan.asks:
                self.on_started(clock.plan.audience, isinstance(clock, DutyMachine))
