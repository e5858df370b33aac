"""Questions from outside: customers ask support, the press asks whom it reaches. Answers are what those who answer know.

The rule that surprises: nobody lies. An answer disagrees with the status page because the page and the one who answers were told at
different times, or because the one who answers knows what has not been published.
"""

from __future__ import annotations

from gameday.scenario.communication import Inquiries
from gameday.scores.answers import NOTHING_KNOWN
from sim.day import Day
from sim.people.cast import SOON, Cast
from sim.people.incident import Incident, IncidentDesk
from sim.people.roles import Roles
from sim.processes import Process

LOOK_EVERY_S = 15.0
SUPPORT = "support"


class InquiryDesk:
    """Everybody who is asked."""

    def __init__(self, day: Day, cast: Cast, desk: IncidentDesk, roles: Roles, plan: Inquiries) -> None:
        self._day = day
        self._world = day.world
        self._cast = cast
        self._desk = desk
        self._roles = roles
        self._plan = plan
        self._draws = day.world.streams.draws("inquiries")
        self._count = 0
        self._status = self._support_knows = NOTHING_KNOWN
        audiences = day.world.scenario.communication.audiences
        self._external = {name for name, audience in audiences.items() if audience.external}
        self._spokesperson = next((audience.author for audience in audiences.values() if audience.external), "communications")
        day.world.env.process(self._customers())
        if plan.press_every is not None:
            desk.listeners.append(self._on_incident)

    def published(self, audience: str, phase: str) -> None:
        """A message is out."""
        if audience in self._external:
            self._status = phase
        if audience == SUPPORT:
            self._support_knows = phase

    def _customers(self) -> Process:
        """A share of those whose requests were lost asks support."""
        patience = self._draws.exponential()
        while True:
            yield self._world.env.timeout(LOOK_EVERY_S)
            now, classes = self._world.env.now, self._world.scenario.load.classes
            lost = sum(self._day.indicators.answered(name, LOOK_EVERY_S, now)[2] for name in classes)
            patience -= lost * self._plan.customers
            while patience <= 0.0:
                patience += self._draws.exponential()
                self._world.env.process(self._ask_support())

    def _ask_support(self) -> Process:
        """Support takes its time, then says what the status page says, or what it remembers."""
        name = self._received("customers")
        asked_at = self._world.env.now
        knows = self._support_knows
        yield self._world.env.timeout(self._answer_s())
        answer = self._status if self._plan.support == "status" else knows
        self._answered("customers", name, answer, SUPPORT, asked_at)

    # -- the press --------------------------------------------------------------------------------------------------------

    def _on_incident(self, incident: Incident, what: str) -> None:
        if what == "declared":
            self._world.env.process(self._press(incident))

    def _press(self, incident: Incident) -> Process:
        every_s = self._plan.press_every
        assert every_s is not None, "the press asks"
        while True:
            yield self._world.env.timeout(self._draws.exponential() * every_s)
            if incident.over:
                return
            self._world.env.process(self._ask_press(incident))

    def _ask_press(self, incident: Incident) -> Process:
        """A spokesperson says what is published; anybody else what they believe."""
        name, asked_at = self._received("press"), self._world.env.now
        at_desk = [person for person, member in self._cast.members.items() if member.at_desk]
        spokesperson = self._roles.holder(incident, self._spokesperson)
        reached = at_desk[int(self._draws.uniform() * len(at_desk))] if at_desk else incident.responder
        by = reached if self._plan.press == "anyone" or spokesperson is None else spokesperson
        yield from self._cast.attend(by, self._answer_s(), SOON)
        answer = incident.phase if self._plan.press == "anyone" else self._status
        self._answered("press", name, answer, by, asked_at)

    def _answer_s(self) -> float:
        from sim.draws import sample

        return sample(self._plan.answer, self._draws)

    def _received(self, who: str) -> str:
        self._count += 1
        name = f"{who}/{self._count}"
        data: dict[str, object] = {"from": who, "inquiry": name}
        self._world.recorder.record(self._world.env.now, "inquiry.received", self._subject(), data)
        return name

    def _answered(self, who: str, name: str, answer: str, by: str, asked_at: float) -> None:
        now = self._world.env.now
        data: dict[str, object] = {"from": who, "inquiry": name, "answer": answer, "by": by, "after_s": now - asked_at}
        self._world.recorder.record(now, "inquiry.answered", self._subject(), data)

    def _subject(self) -> str:
        return self._desk.current.subject if self._desk.current is not None else "communication"
