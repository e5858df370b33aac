"""The controller of a region's failover on a live day: probes from outside, decision, approval, databases, DNS answer; and the way back.

    probes ─▶ triggered ─▶ decide, approval ─▶ check ─▶ promote ─▶ move ─▶ completed ─▶ failback
                                                     (the events are those of the simulated controller)

The rule that surprises: it is a stand-in for a service such as a provider's health-checked DNS, and believes its probes. What people say to
it (`gameday steer`) is taken at the word; where nobody says anything, whatever needs approval does not happen.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from random import Random

from experiments.observe.database_moves import DatabaseMoves
from experiments.observe.decisions import Decisions, Request
from experiments.observe.notebook import Notebook
from experiments.observe.pace import every
from experiments.observe.way_back import Away, WayBack
from experiments.public_record import moves_names, point, ttl_of
from experiments.routes import send
from gameday.errors import GamedayError
from gameday.scenario.model import Scenario
from gameday.target import Target
from gameday.timeline import JSON

BY = "failover controller"


def cannot_play(scenario: Scenario, target: Target, *, hands_on: bool) -> list[str]:
    """What a scenario's failover policy asks for and a live day does not have."""
    policy = scenario.policies.failover
    if policy.mode == "none" or not policy.pairs:
        return []
    named = list(scenario.system.databases) if policy.databases is None else policy.databases
    without = [
        name for name in named if name not in target.databases or not all(node.patroni for node in target.databases[name].nodes)
    ]
    wrong = {
        "mode: manual without --hands-on (somebody has to ask for it)": policy.mode == "manual" and not hands_on,
        "move: anycast (a target moves names)": policy.move == "anycast",
        "vantage: other than internet (probes come from where gameday runs)": any(each != "internet" for each in policy.vantage),
        "approval without --hands-on (somebody has to approve)": policy.approval is not None and not hands_on,
        f"databases: {', '.join(without)} without a Patroni that moves them (databases: [] moves none)": bool(without),
        "fence: true with databases (Patroni takes the role away itself: fence: false)": bool(named) and policy.fence,
        "step_failure (steps of a real system fail by themselves)": policy.step_failure > 0.0,
        "failback.approval without --hands-on (failback: {enabled: false}, or approval: null)": policy.failback.enabled
        and policy.failback.approval is not None
        and not hands_on,
    }
    return [what for what, has in wrong.items() if has]


class RegionFailover:
    """All regions that have a partner."""

    def __init__(
        self,
        scenario: Scenario,
        target: Target,
        notebook: Notebook,
        random: Random,
        decisions: Decisions | None = None,
        databases: DatabaseMoves | None = None,
    ) -> None:
        self._scenario, self._target, self._notebook, self._random = scenario, target, notebook, random
        self._policy = scenario.policies.failover
        self._decisions = decisions or Decisions(scenario.response.roles)
        self._databases = databases or DatabaseMoves(scenario, target)
        self._away: dict[str, Away] = {}
        """Regions whose traffic is away."""
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._back = WayBack(scenario, notebook, self._decisions, self._databases, self._move_back)
        safe = [name for name in scenario.load.classes if name in target.routes and target.routes[name].method in {"GET", "HEAD"}]
        self._class = (safe or [name for name in scenario.load.classes if name in target.routes])[0]

    def looks(self) -> Iterator[Callable[[], None]]:
        """One thread a region."""
        if moves_names(self._scenario, self._target):
            for home in self._policy.pairs:
                yield partial(self._watch, home)

    def request(self, by: str, home: str) -> str | None:
        """Somebody asks for the failover of a region, having noticed and decided; why it cannot begin, or None."""
        if home not in self._policy.pairs or not moves_names(self._scenario, self._target):
            return f"no region takes over for {home}"
        if home in self._away:
            return f"{home} has been left already"
        if not self._begins(home):
            return f"{home} is being moved already"
        move = partial(self._fail_over, home, by, f"asked for by {by}", None)
        threading.Thread(target=move, daemon=True).start()
        return None

    def _begins(self, home: str) -> bool:
        """Whether nobody else moves a region; then the caller does."""
        with self._lock:
            if home in self._busy or home in self._away:
                return False
            self._busy.add(home)
            return True

    def _watch(self, home: str) -> None:
        results: deque[tuple[float, bool]] = deque(maxlen=self._policy.trigger.last)
        armed = True
        for _ in every(self._policy.probe_interval, self._random.uniform(0.0, self._policy.probe_interval)):
            asked = self._probe(home, results)
            if home in self._away:
                self._back.look(self._away[home], asked)
            failed = [at for at, answered in results if not answered]
            if len(failed) < self._policy.trigger.failed:
                armed = True
            elif armed and self._policy.mode == "automatic" and asked >= 0.0 and self._begins(home):
                armed = False
                why = f"failed probes from internet: {len(failed)} of the last {len(results)}"
                self._fail_over(home, BY, why, results)

    def _probe(self, home: str, results: deque[tuple[float, bool]]) -> float:
        asked = self._notebook.clock.now()
        results.append((asked, self._answers(home)))
        self._back.saw(home, asked, answered=results[-1][1])
        return asked

    def _answers(self, region: str) -> bool:
        """A request of a client, sent to the entry of the region from outside."""
        limit_s = self._policy.probe_timeout
        return send(self._target, self._class, region, limit_s, self._random).good(limit_s)

    def _fail_over(self, home: str, by: str, why: str, results: deque[tuple[float, bool]] | None) -> None:
        """`results`: the probes that called for it; None when people have asked, who have noticed and decided."""
        target, now = self._policy.pairs[home], self._notebook.clock.now
        away = Away(home, f"{home}->{target}")
        self._say("failover.triggered", home, failover=away.name, why=why, by=by)
        steps: list[tuple[str, Callable[[Away], str | None]]] = [("check", self._check)]
        steps += [("promote", self._promote)] if self._databases.at(home) else []
        steps.append(("move", self._move))
        if results is not None:
            first = min(at for at, answered in results if not answered)
            self._step(home, away.name, "detect", "succeeded", now() - first)
            steps.insert(0, ("decide", partial(self._decide, results=results)))
        try:
            for step, play in steps:
                began = now()
                problem = play(away)
                self._step(home, away.name, step, "succeeded" if problem is None else "failed", now() - began)
                if problem is not None:
                    self._say("failover.failed", home, failover=away.name, step=step, why=problem)
                    self._roll_back(away, problem)
                    return
            self._say("failover.completed", home, failover=away.name, to=target)
            self._away[home] = away
        finally:
            self._busy.discard(home)

    def _decide(self, away: Away, results: deque[tuple[float, bool]]) -> str | None:
        """The controller's time, and the word of whoever must approve; it waits until that comes or the region has recovered."""
        time.sleep(self._policy.decide.mean)
        if self._policy.approval is None:
            return None
        about: dict[str, JSON] = {"decision": "failover", "by": BY, "why": f"{away.name} needs the {self._policy.approval}"}
        self._say("decision.proposed", away.home, **about)
        request = self._decisions.ask(Request("failover", f"region/{away.home}", self._policy.approval))
        while not request.wait(self._policy.probe_interval):
            self._probe(away.home, results)
            failed = sum(not answered for _, answered in results)
            if failed < self._policy.trigger.failed and self._decisions.withdraw(request):
                return f"{away.home} recovered before anybody in the role of {request.role} approved"
        kind = "decision.approved" if request.approved else "decision.rejected"
        about = {"decision": "failover", "by": request.by, "why": f"asked as {request.role}"}
        self._notebook.say(kind, f"region/{away.home}", about, source="human")
        return None if request.approved else f"{request.by} rejected it as {request.role}"

    def _check(self, away: Away) -> str | None:
        target = self._policy.pairs[away.home]
        if self._policy.check_target and not self._answers(target):
            return f"{target} does not answer"
        for name in self._databases.at(away.home):
            lag_s = self._databases.lag_s(name, target)
            if lag_s is None:
                return f"database/{name} has no replica in {target} that could be promoted"
            if self._policy.check_lag is not None and lag_s > self._policy.check_lag:
                return f"database/{name} is {lag_s:.1f} s behind in {target}, allowed are {self._policy.check_lag:.1f} s"
        return None

    def _promote(self, away: Away) -> str | None:
        """The databases of the region, all at once in the simulation, one after the other here."""
        for name in self._databases.at(away.home):
            problem = self._databases.move(name, self._policy.pairs[away.home], away.name)
            if problem is not None:
                return problem
            away.promoted.append(name)
        return None

    def _move(self, away: Away) -> str | None:
        """Leave the region's address out of the answer."""
        gone = {*self._away, away.home}
        stay = [region for region in self._target.entries if region not in gone]
        return self._point(away.home, stay or [self._policy.pairs[away.home]], self._policy.pairs[away.home])

    def _move_back(self, away: Away) -> str | None:
        """Take the region's address into the answer again."""
        stay = [region for region in self._target.entries if region == away.home or region not in self._away]
        problem = self._point(away.home, stay, away.home)
        if problem is None:
            del self._away[away.home]
        return problem

    def _point(self, home: str, regions: list[str], to: str) -> str | None:
        ttl_s = ttl_of(self._scenario)
        try:
            point(self._target, regions, ttl_s)
        except GamedayError as error:
            return f"the record could not be changed: {error}"
        for origin, each in self._scenario.system.traffic.origins.items():
            if each.region == home:
                data: dict[str, JSON] = {"record": origin, "to": to, "ttl_s": ttl_s}
                self._notebook.say("dns.changed", f"dns/{origin}", data)
        return None

    def _roll_back(self, away: Away, why: str) -> None:
        """Databases that were promoted for nothing go home again, where the home still works."""
        if not self._policy.rollback or not away.promoted or not self._answers(away.home):
            return
        stayed = [self._databases.move(name, away.home, away.name) for name in away.promoted]
        told = "; ".join([why, *(each for each in stayed if each)])
        self._say("failover.rolled_back", away.home, failover=away.name, why=told)

    def _step(self, home: str, name: str, step: str, outcome: str, took_s: float) -> None:
        self._say("failover.step", home, failover=name, step=step, outcome=outcome, took_s=took_s)

    def _say(self, kind: str, home: str, **data: JSON) -> None:
        self._notebook.say(kind, f"region/{home}", data)
