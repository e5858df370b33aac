"""The communication desk: writes, has approved and publishes what is due, as long as somebody in the role is there to do it.

The rule that surprises: a message states what the team believes when it is written. By the time it is approved and retyped it may be
wrong; that is measured, not prevented. One author writes one message at a time.
"""

from __future__ import annotations

from datetime import timedelta

from gameday.clocks import ClockEvent, ClockMachine
from gameday.communication import ApprovalChain, Ask, Cadence, render, template_for
from gameday.communication.approvals import required_approvals, spokesperson_roles
from gameday.people import Availability, availability, wall_time
from sim.day import Day
from sim.people.cast import Cast
from sim.people.incident import COMMANDER, Incident, IncidentDesk
from sim.processes import Process, Steps

LOOK_EVERY_S = 15.0
STATUS_PAGE = "status_page"
PHASE_ACTION = {"rollback": "rolling the release back", "failover": "moving traffic to another region", "wait": "watching it"}


class MessageDesk:
    """Everything that is said during a day."""

    def __init__(self, day: Day, cast: Cast, desk: IncidentDesk) -> None:
        self._day = day
        self._world = day.world
        self._cast = cast
        self._plan = day.world.scenario.communication
        self._draws = day.world.streams.draws("messages")
        self._cadence: Cadence | None = None
        self._incident: Incident | None = None
        self._count = 0
        self._busy: set[str] = set()
        self._out: dict[str, int] = {}
        self._blind = desk.blind
        self._clocks = [ClockMachine(name, clock) for name, clock in self._plan.clocks.items()]
        self._impact_began: float | None = None
        desk.listeners.append(self._on_incident)
        day.world.listeners.append(self._on_world)
        if self._clocks:
            day.world.env.process(self._tick_clocks())

    def acknowledged(self) -> None:
        """Somebody took a page: clocks anchored there start."""
        self._tell_clocks("page.acknowledged")

    def _on_incident(self, incident: Incident, what: str) -> None:
        now = self._world.env.now
        if what == "declared":
            assert incident.severity is not None
            self._incident = incident
            usual = self._plan.draft.median + (self._plan.approve.median if self._anything_approved() else 0.0)
            self._cadence = Cadence(self._plan, lead_s=usual)
            self._cadence.declared(now, incident.severity, incident.impact_seen_at)
            self._tell_clocks("incident.declared")
            self._world.env.process(self._serve(incident, self._cadence))
        elif self._cadence is not None and incident is self._incident:
            if what == "severity" and incident.severity is not None:
                self._cadence.severity(now, incident.severity)
            elif what == "phase":
                self._cadence.phase(now, incident.phase)

    def _on_world(self, what: str, subject: str) -> None:
        if what == "impact.started" and len(self._day.impacts.active) == 1:
            self._impact_began = self._world.env.now
            self._tell_clocks("impact.started")
        elif what == "impact.ended" and not self._day.impacts.active:
            self._tell_clocks("impact.ended")

    def _anything_approved(self) -> bool:
        return any(required_approvals(audience) for audience in self._plan.audiences.values())

    def _serve(self, incident: Incident, cadence: Cadence) -> Process:
        """Start on each message when it is asked for; look again when something changes (every few seconds)."""
        env = self._world.env
        for quiet in range(100_000):
            del quiet
            cadence.exposure(env.now, self._exposure())
            for ask in cadence.asks(env.now):
                env.process(self._write(ask, incident, cadence))
            due = cadence.next_at()
            if due is None and incident.resolved:
                return
            pause = LOOK_EVERY_S if due is None else min(LOOK_EVERY_S, due - env.now)
            yield env.timeout(max(pause, 1.0))

    def _exposure(self) -> float:
        prices = self._world.scenario.system.money.lost_request
        now = self._world.env.now
        return sum(price * self._day.indicators.answered(name, now, now)[2] for name, price in prices.items())

    def _write(self, ask: Ask, incident: Incident, cadence: Cadence) -> Process:
        """Wait for the author, write, collect approvals, publish."""
        env, audience = self._world.env, self._plan.audiences[ask.audience]
        author = yield from self._wait_for(audience.author, incident)
        if author is None:
            return
        self._busy.add(author)
        self._count += 1
        number, name = self._count, f"message/{self._count}"
        yield env.timeout(self._cast.think_s(author, self._plan.draft))
        text, claims, promised = self._text(ask, incident, audience.every)
        data: dict[str, object] = {
            "message": name,
            "audience": ask.audience,
            "phase": ask.phase,
            "channel": audience.channel,
            "text": text,
            "author": author,
            "role": audience.author,
            "claims": claims,
        }
        subject = f"audience/{ask.audience}"
        self._world.record("message.drafted", subject, **data)
        self._busy.discard(author)
        approvals: list[str] = []
        if required_approvals(audience):
            chain = ApprovalChain(required_approvals(audience), self._holders(incident), self._availability)
            if not (yield from self._approve(chain, name, subject)):
                return
            approvals = [f"{given.role}/{given.person}" for given in chain.given]
            self._world.record("message.approved", subject, **data, approvals=approvals)
        if audience.channel == STATUS_PAGE:
            yield from self._post(name, subject)
        if self._out.get(ask.audience, 0) > number:
            self._world.record("note", subject, text=f"{name} is dropped: message/{self._out[ask.audience]} is out and newer")
            return
        if ask.phase == "resolved" and self._day.impacts.active and not self._blind():
            self._world.record("note", subject, text=f"{name} is held back: the dashboards say it is not over")
            return
        self._out[ask.audience] = number
        role = audience.author if audience.author in spokesperson_roles(audience) else spokesperson_roles(audience)[0]
        self._world.record("message.published", subject, **{**data, "role": role}, approvals=approvals)
        cadence.published(env.now, ask.audience, ask.phase, promised)
        for clock in self._clocks:
            self._record_clocks(clock, clock.published(ask.audience, env.now))

    def _wait_for(self, role: str, incident: Incident) -> Steps[str | None]:
        """The role's holder, once there is one and they are free; the commander stands in for an empty role; None when it is over."""
        while True:
            person = incident.roles.get(role) or (
                incident.roles.get(COMMANDER) if role not in self._cast.response.roles else None
            )
            if person is not None and person not in self._busy:
                return person
            if incident.resolved and person is None:
                return None
            yield self._world.env.timeout(LOOK_EVERY_S)

    def _approve(self, chain: ApprovalChain, name: str, subject: str) -> Steps[bool]:
        """Ask role after role; a chain in which nobody can be had is given up, and says so."""
        env = self._world.env
        while (state := chain.state(env.now)) == "waiting":
            approver = chain.approver(env.now)
            assert approver is not None, "somebody can be asked while the chain waits"
            if approver.must_be_paged:
                yield env.timeout(self._cast.notice_s(approver.person))
                self._cast.wake(approver.person)
            yield env.timeout(self._cast.think_s(approver.person, self._plan.approve))
            chain.approve(env.now, approver.person)
        if state == "approved":
            return True
        why = f"{name} is not published: approval by {chain.next_role} cannot be had ({state.replace('_', ' ')})"
        self._world.record("note", subject, text=why)
        return False

    def _post(self, name: str, subject: str) -> Steps[None]:
        """Put it on the status page: by hand it takes time, and a page on a failed place cannot be changed until it is back."""
        page, env = self._plan.status_page, self._world.env
        if not page.automatic:
            yield env.timeout(self._cast.draw(next(iter(self._cast.members)), page.retype))
        told = False
        while not self._world.place_works(page.location):
            if not told:
                self._world.record("note", subject, text=f"{name} waits: the status page is down with {page.location}")
                told = True
            yield env.timeout(LOOK_EVERY_S)

    def _holders(self, incident: Incident) -> dict[str, list[str]]:
        """Who may approve: the person in the role during the incident first."""
        holders = {role: list(people) for role, people in self._cast.response.roles.items()}
        for role, person in incident.roles.items():
            holders[role] = [person, *(other for other in holders.get(role, []) if other != person)]
        return holders

    def _availability(self, person: str, _: float) -> Availability:
        if self._cast.members[person].at_desk:
            return "in_office"
        found = availability(self._cast.response.people[person], self._cast.wall())
        return "awake" if found == "asleep" and not self._cast.asleep(person) else found

    def _text(self, ask: Ask, incident: Incident, every_s: float | None) -> tuple[str, dict[str, object], float | None]:
        """The words, the claims in them, and the instant promised for the next message."""
        now = self._world.env.now
        incident.hurt.update(self._day.impacts.active)
        hurt = sorted(incident.hurt)
        shares = [1.0 - (self._day.indicators.good_ratio(name, 60.0, now) or 0.0) for name in self._day.impacts.active]
        regions = self._regions()
        promised = None if every_s is None or ask.phase == "resolved" else now + every_s
        lost = sum(cluster.known_lost_writes() for cluster in self._world.clusters.values())
        began = incident.impact_seen_at if incident.impact_seen_at is not None else incident.opened
        slots = {
            "service": ", ".join(hurt),
            "region": ", ".join(regions),
            "started": self._clock(began),
            "impact": f"about {round(100 * max(shares))}% of requests fail" if shares else "requests are answered again",
            "cause": self._believed_cause(),
            "action": self._action(),
            "next_update": self._clock(promised if promised is not None else now + 1800.0),
            "ended": self._clock(now),
            "data_loss": f"{lost} confirmed changes are being reconciled." if lost else "We have found no loss of data.",
        }
        claims: dict[str, object] = {
            "components": hurt,
            "regions": regions,
            "state": ask.phase,
            "started_s": began,
            "data_loss": lost > 0,
        }
        return render(template_for(ask.phase, self._plan.templates), slots), claims, promised

    def _regions(self) -> list[str]:
        """Where the team sees loss: regions whose clients fail, or all."""
        now, wiring = self._world.env.now, self._world.wiring
        found = []
        for origin, place in wiring.origins.items():
            shares = [self._day.indicators.flow_good_ratio(name, origin, 60.0, now) for name in self._day.impacts.active]
            if any(share is not None and share < 0.95 for share in shares):
                found.append(place.region)
        return sorted(set(found)) or list(self._world.scenario.system.regions)

    def _believed_cause(self) -> str:
        last = self._world.recorder.timeline.of("diagnosis.concluded")
        return last[-1].text("hypothesis") if len(last) else "still being looked for"

    def _action(self) -> str:
        last = self._world.recorder.timeline.of("decision.made")
        decision = last[-1].text("decision") if len(last) else "wait"
        return PHASE_ACTION.get(decision, f"working on it ({decision.replace('_', ' ')})")

    def _clock(self, t: float) -> str:
        rounded = wall_time(self._world.scenario.starts, t) + timedelta(seconds=30)
        return rounded.strftime("%H:%M UTC")

    def _tell_clocks(self, kind: str) -> None:
        for clock in self._clocks:
            self._record_clocks(clock, clock.happened(kind, self._world.env.now))

    def _tick_clocks(self) -> Process:
        while True:
            for clock in self._clocks:
                self._record_clocks(clock, clock.tick(self._world.env.now))
            yield self._world.env.timeout(LOOK_EVERY_S)

    def _record_clocks(self, clock: ClockMachine, events: list[ClockEvent]) -> None:
        for event in events:
            data = {"clock": event.clock, "regime": event.regime, "anchor": event.anchor, "due_s": event.due_s}
            if event.margin_s is not None:
                data["margin_s"] = event.margin_s
            self._world.record(f"clock.{event.change}", f"clock/{clock.name}", **data)
