"""The communication desk: writes, has approved and publishes what is due, as long as somebody in the role is there to do it.

    asked for ─▶ author free? ─▶ draft ─▶ approvals in order ─▶ spokesperson ─▶ status page ─▶ published
                     └ newer one asked for: dropped   └ nobody can be had: noted, not published

The rule that surprises: a message states what the team believes when it is written. By the time it is approved and retyped it may be
wrong; that is measured, not prevented, except that nobody publishes `resolved` while the dashboards say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from gameday.communication import ApprovalChain, Ask, Cadence
from gameday.communication.approvals import Approver, required_approvals, spokesperson_roles
from gameday.instants import earliest
from gameday.people import Availability, availability
from gameday.scenario.communication import Audience, Phase
from sim.day import Day
from sim.monitoring import OUTSIDE
from sim.people.cast import FIRST, LATER, NOW, SOON, Cast
from sim.people.dashboards import Dashboards
from sim.people.deputy import Deputy
from sim.people.from_memory import from_memory, objection
from sim.people.incident import Incident, IncidentDesk
from sim.people.regulation import RegulatoryClocks
from sim.people.roles import Roles
from sim.people.wording import Words, write
from sim.processes import Process, Steps

LOOK_EVERY_S = 15.0
STATUS_PAGE, CHAT = "status_page", "chat"
ASK_AGAIN_AFTER_S = 300.0
"""Who did not answer is asked again, or the next one is, after so long (PagerDuty's practice: 5 minutes)."""
MOST_CALLS = 10
"""Unanswered calls for one approval or publication until it is given up. Assumption."""


@dataclass(slots=True)
class Conversation:
    """What is said to one audience in one incident."""

    incident: Incident
    name: str
    audience: Audience
    cadence: Cadence
    asked: int = 0
    """Messages asked for so far; only the newest is begun."""
    in_work: dict[int, Phase] = field(default_factory=dict)
    """Phase of each message that is asked for and neither out nor given up."""
    drafted: int = 0
    """Number of the newest message that was written."""
    ready: int = 0
    """Number of the newest message that may be published."""
    told: int = 0
    """Number of the newest message that is out; 0 = the audience has heard nothing."""

    def is_outdated(self, number: int) -> bool:
        """Whether a message need not go out: a newer one may go or is out, or is written and the audience has heard something."""
        return number < max(self.told, self.ready, self.drafted if self.told else 0)

    @property
    def subject(self) -> str:
        """On the timeline."""
        return f"audience/{self.name}"


class MessageDesk:
    """Everything that is said during a day."""

    def __init__(
        self,
        day: Day,
        cast: Cast,
        dashboards: Dashboards,
        desk: IncidentDesk,
        roles: Roles,
        clocks: RegulatoryClocks,
        deputy: Deputy,
    ) -> None:
        self._day = day
        self._world = day.world
        self._cast = cast
        self._dashboards = dashboards
        self._desk = desk
        self._roles = roles
        self._clocks = clocks
        self._deputy = deputy
        self._plan = day.world.scenario.communication
        self._count = self._turns = 0
        self._conversations: dict[str, Conversation] = {}
        self.on_published: list[Callable[[Incident, str, str, str], None]] = []
        """Told of each message that is out: incident, audience, phase, name."""
        self.posted: Callable[[Incident, Phase, str], None] = lambda _incident, _phase, _person: None
        """Told of each message that is on the status page, and who put it there."""
        clocks.on_started = self._clock_started
        desk.listeners.append(self._on_incident)

    # -- when -----------------------------------------------------------------------------------------------------------

    def _on_incident(self, incident: Incident, what: str) -> None:
        now, severity = self._world.env.now, incident.severity
        if what == "declared":
            assert severity is not None, "it is declared with a severity"
            for name, audience in self._plan.audiences.items():
                own = self._plan.model_copy(update={"audiences": {name: audience}})
                cadence = Cadence(own, lead_s=self._usual_s(audience))
                cadence.declared(now, severity, incident.impact_seen_at)
                self._conversations[name] = Conversation(incident, name, audience, cadence)
            self._world.env.process(self._serve(incident, dict(self._conversations)))
            self._clocks.declared(incident)
        for conversation in self._conversations.values():
            if conversation.incident is incident:
                if what == "severity" and severity is not None:
                    conversation.cadence.severity(now, severity)
                elif what == "phase":
                    conversation.cadence.phase(now, incident.phase)

    def _usual_s(self, audience: Audience) -> float:
        """Time a message to this audience usually takes, by the medians of the plan: it is begun so long before it is due."""
        page = self._plan.status_page
        retyping = page.retype.median if audience.channel == STATUS_PAGE and not page.automatic else 0.0
        return self._plan.draft.median + len(required_approvals(audience)) * self._plan.approve.median + retyping

    def _serve(self, incident: Incident, conversations: dict[str, Conversation]) -> Process:
        """Start on each message when it is asked for; look again when something may have changed, until the end was told."""
        env = self._world.env
        while True:
            exposure = self._exposure(incident)
            for conversation in conversations.values():
                conversation.cadence.exposure(env.now, exposure)
                for ask in conversation.cadence.asks(env.now):
                    if ask.phase in conversation.in_work.values():
                        continue
                    if self._plan.reminders == "people":
                        self._world.env.process(self._begin_when_reminded(ask, conversation))
                    else:
                        self._begin(ask, conversation)
            due = earliest(conversation.cadence.next_at() for conversation in conversations.values())
            if due is None and incident.over:
                return
            yield env.timeout(max(1.0, LOOK_EVERY_S if due is None else min(LOOK_EVERY_S, due - env.now)))

    def _exposure(self, incident: Incident) -> float:
        """Money lost since the incident began, with what is expected to come; nobody adds it up without dashboards."""
        if self._dashboards.blind():
            return 0.0
        now = self._world.env.now
        since_s = now - (incident.opened if incident.impact_seen_at is None else incident.impact_seen_at)
        prices = self._world.scenario.system.money.lost_request

        def lost(window_s: float) -> float:
            return sum(price * self._day.indicators.answered(name, window_s, now)[2] for name, price in prices.items())

        expected_s = self._plan.executives.expected_duration
        to_come_s = 0.0 if expected_s is None else max(0.0, expected_s - since_s)
        return lost(since_s) + (lost(60.0) / 60.0 * to_come_s if to_come_s else 0.0)

    # -- from the draft to the publication ------------------------------------------------------------------------------

    def _begin(self, ask: Ask, conversation: Conversation) -> None:
        conversation.asked += 1
        self._turns += 1
        conversation.in_work[conversation.asked] = ask.phase
        self._world.env.process(self._work(ask, conversation, conversation.asked, self._turns))

    def _begin_when_reminded(self, ask: Ask, conversation: Conversation) -> Process:
        """It is begun when somebody has seen that it is time; what has become outdated meanwhile was asked for anew."""
        yield from self._deputy.remind(conversation.incident)
        if ask.phase == conversation.incident.phase and ask.phase not in conversation.in_work.values():
            self._begin(ask, conversation)

    def _work(self, ask: Ask, conversation: Conversation, request: int, turn: int) -> Process:
        yield from self._write(ask, conversation, request, turn)
        del conversation.in_work[request]

    def _write(self, ask: Ask, conversation: Conversation, request: int, turn: int) -> Process:
        """Wait for the author, write, collect approvals, publish."""
        audience = conversation.audience
        author = yield from self._author(conversation)
        urgency = LATER if conversation.told else FIRST
        with self._cast.members[author].attention.request(priority=urgency + turn) as mine:
            yield mine
        if request < conversation.asked:
            return  # what has been asked for since says more
        yield from self._cast.write(author, self._cast.think_s(author, self._plan.draft, "draft"), urgency, turn)
        self._count += 1
        number, name = self._count, f"message/{self._count}"
        conversation.drafted = number
        words = write(
            self._day, self._dashboards, conversation.incident, ask.phase, audience.pace(conversation.incident.severity)[1]
        )
        text = words.text
        if self._plan.written == "memory":
            text = from_memory(words.text, self._cast.draws(author, "write from memory"))
        data: dict[str, object] = {
            "message": name,
            "audience": ask.audience,
            "phase": ask.phase,
            "channel": audience.channel,
            "text": text,
            "author": author,
            "role": audience.author,
            "claims": words.claims,
        }
        self._world.record("message.drafted", conversation.subject, **data)
        if required_approvals(audience):
            approvals = yield from self._approvals(conversation, number, data)
            if isinstance(approvals, str):
                again = self._cast.draw(author, self._plan.draft, "draft again")
                yield from self._cast.write(author, again, urgency, turn)
                data["text"] = words.text
                approvals = yield from self._approvals(conversation, number, data)
            if not isinstance(approvals, list):
                return
            data["approvals"] = approvals
            self._world.record("message.approved", conversation.subject, **data)
        spokesperson = yield from self._spokesperson(conversation, author, name)
        if spokesperson is None:
            return
        data["role"], publisher = spokesperson
        if publisher != author:
            text = f"{name} is published by {publisher} as {data['role']}"
            self._world.record("note", conversation.subject, text=text)
        yield from self._publish(ask, conversation, number, words, data, publisher)

    def _clock_started(self, audience: str, by_law: bool) -> None:
        """A clock that asks: its audience is told now, whatever the severity, unless it was told already. A law asks afterwards too."""
        conversation = self._conversations.get(audience)
        if conversation is None or conversation.told or conversation.in_work or (conversation.incident.over and not by_law):
            return
        now, phase = self._world.env.now, conversation.incident.phase
        self._begin(Ask(now, audience, phase, now, "first"), conversation)

    def _author(self, conversation: Conversation) -> Steps[str]:
        """Who has the author's role, once somebody has."""
        while (person := self._roles.holder(conversation.incident, conversation.audience.author)) is None:
            yield self._world.env.timeout(LOOK_EVERY_S)
        return person

    def _approvals(self, conversation: Conversation, number: int, data: dict[str, object]) -> Steps[list[str] | str | None]:
        """Ask role after role. A reason when one sends it back; None when it is outdated, or nobody can be had, which is noted."""
        env, name, silent = self._world.env, f"message/{number}", set[str]()
        chain = ApprovalChain(
            required_approvals(conversation.audience),
            self._holders(conversation.incident),
            lambda person, _: "unavailable" if person in silent else self._availability(person),
        )
        calls = 0
        while (state := chain.state(env.now)) == "waiting" or (state == "nobody_available" and silent and calls < MOST_CALLS):
            if conversation.is_outdated(number):
                self._drop(conversation, number)
                return None
            approver = chain.approver(env.now)
            if approver is None:
                silent.clear()
            elif (yield from self._ask(approver)):
                phase, text = cast("Phase", data["phase"]), str(data["text"])
                draws = self._cast.draws(approver.person, "read what is to be approved")
                why = objection(phase, text, self._world.scenario, draws) if self._plan.written == "memory" else None
                if why is not None:
                    told = {"message": name, "audience": conversation.name, "by": approver.person, "why": why}
                    self._world.record("message.rejected", conversation.subject, **told)
                    return why
                chain.approve(env.now, approver.person)
                silent.clear()
            else:
                calls += 1
                silent.add(approver.person)
        if state == "approved":
            return [f"{given.role}/{given.person}" for given in chain.given]
        why = f"{name} is not published: approval by {chain.next_role} cannot be had ({state.replace('_', ' ')})"
        self._world.record("note", conversation.subject, text=why)
        return None

    def _ask(self, approver: Approver) -> Steps[bool]:
        """Ask one person, waking them if need be; False when they do not answer."""
        person = approver.person
        if approver.must_be_paged:
            if not self._cast.notices(person):
                yield self._world.env.timeout(ASK_AGAIN_AFTER_S)
                return False
            yield self._world.env.timeout(self._cast.notice_s(person))
            self._cast.wake(person)
        yield from self._cast.attend(person, self._cast.think_s(person, self._plan.approve, "approve"), SOON)
        return True

    def _spokesperson(self, conversation: Conversation, author: str, name: str) -> Steps[tuple[str, str] | None]:
        """Role and person who publish: the author where their role may, else somebody whose role may; None = nobody can be had."""
        audience = conversation.audience
        allowed = spokesperson_roles(audience) if audience.external else (audience.author,)
        if audience.author in allowed:
            return audience.author, author
        holders = self._holders(conversation.incident)
        people = [(role, person) for role in allowed for person in holders.get(role, [])]
        for calls in range(MOST_CALLS if people else 0):
            role, person = people[calls % len(people)]
            if self._cast.reachable(person) and self._cast.notices(person):
                yield self._world.env.timeout(self._cast.notice_s(person))
                self._cast.wake(person)
                return role, person
            yield self._world.env.timeout(ASK_AGAIN_AFTER_S)
        why = f"{name} is not published: {' or '.join(allowed)} may publish it, and nobody can be had"
        self._world.record("note", conversation.subject, text=why)
        return None

    def _publish(
        self, ask: Ask, conversation: Conversation, number: int, words: Words, data: dict[str, object], publisher: str
    ) -> Steps[None]:
        """Put it where the audience reads it, unless something newer is there or it has become false to say that it is over."""
        conversation.ready = max(conversation.ready, number)
        if conversation.audience.channel == CHAT:
            yield from self._wait_for_chat(number, conversation)
        if conversation.audience.channel == STATUS_PAGE and not (yield from self._post(conversation, number, publisher)):
            self._drop(conversation, number)
            return
        if conversation.is_outdated(number) or self._conversations[conversation.name].told > number:
            self._drop(conversation, number)
            return
        if ask.phase == "resolved" and self._dashboards.now().lost:
            text = f"message/{number} is held back: the dashboards say it is not over"
            self._world.record("note", conversation.subject, text=text)
            self._world.env.process(self._write_again(ask, conversation))
            return
        conversation.told = number
        self._world.record("message.published", conversation.subject, **{"approvals": [], **data})
        conversation.cadence.published(self._world.env.now, conversation.name, ask.phase, words.promised_s)
        self._clocks.published(conversation.name)
        if conversation.audience.channel == STATUS_PAGE:
            self.posted(conversation.incident, ask.phase, publisher)
        for listener in self.on_published:
            listener(conversation.incident, conversation.name, ask.phase, f"message/{number}")

    def _drop(self, conversation: Conversation, number: int) -> None:
        newest = max(conversation.drafted, self._conversations[conversation.name].told)
        text = f"message/{number} is dropped: message/{newest} is newer"
        self._world.record("note", conversation.subject, text=text)

    def _write_again(self, ask: Ask, conversation: Conversation) -> Process:
        """A held back end is written anew when the dashboards have been good for the time the plan asks for."""
        good_since: float | None = None
        while good_since is None or self._world.env.now - good_since < self._plan.confirm_recovery:
            yield self._world.env.timeout(LOOK_EVERY_S)
            good_since = None if self._dashboards.now().bad else (good_since if good_since is not None else self._world.env.now)
            if self._conversations[conversation.name] is not conversation:
                return  # another incident has been declared, and tells it
        self._begin(ask, conversation)

    def _wait_for_chat(self, number: int, conversation: Conversation) -> Steps[None]:
        """A chat on a failed place carries nothing until it is back."""
        location, told = self._plan.chat_location, False
        while not (self._world.place_works(location) and self._world.reachable(location, OUTSIDE)):
            if not told:
                text = f"message/{number} waits: the chat is down with {location}"
                self._world.record("note", conversation.subject, text=text)
                told = True
            yield self._world.env.timeout(LOOK_EVERY_S)

    def _post(self, conversation: Conversation, number: int, person: str) -> Steps[bool]:
        """Put it on the status page: by hand it takes time, and a page on a failed place cannot be changed until it is back.

        False when a newer message waits for the page too.
        """
        page, told = self._plan.status_page, False
        if not page.automatic:
            with self._cast.members[person].attention.request(priority=NOW) as mine:
                yield mine
                if conversation.is_outdated(number):
                    return False
                yield self._world.env.timeout(self._cast.draw(person, page.retype, "retype"))
        while not (self._world.place_works(page.location) and self._world.reachable(page.location, OUTSIDE)):
            if conversation.is_outdated(number):
                return False
            if not told:
                text = f"message/{number} waits: the status page is down with {page.location}"
                self._world.record("note", conversation.subject, text=text)
                told = True
            yield self._world.env.timeout(LOOK_EVERY_S)
        return True

    # -- who ------------------------------------------------------------------------------------------------------------

    def _holders(self, incident: Incident) -> dict[str, list[str]]:
        """Who may approve and publish: the person in the role during the incident first."""
        holders = {role: list(people) for role, people in self._cast.response.roles.items()}
        for role, person in incident.roles.items():
            holders[role] = [person, *(other for other in holders.get(role, []) if other != person)]
        return holders

    def _availability(self, person: str) -> Availability:
        if self._cast.members[person].at_desk:
            return "in_office"
        found = availability(self._cast.response.people[person], self._cast.wall())
        return "awake" if found == "asleep" and not self._cast.asleep(person) else found
