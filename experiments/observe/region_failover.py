"""The controller of a region's failover on a live day: probes from outside, decision, check of the target, DNS answer.

    probes ─▶ triggered ─▶ decide ─▶ check ─▶ move ─▶ completed        (the events are those of the simulated controller)

The rule that surprises: it is a stand-in for a service such as a provider's health-checked DNS, and believes its probes. It moves names
only; a database that has to move with its region is the business of the database's own cluster manager.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from random import Random

from experiments.observe.notebook import Notebook
from experiments.observe.pace import every
from experiments.public_record import moves_names, point, ttl_of
from experiments.routes import send
from gameday.errors import GamedayError
from gameday.scenario.model import Scenario
from gameday.target import Target
from gameday.timeline import JSON

BY = "failover controller"


def cannot_play(scenario: Scenario) -> list[str]:
    """What a scenario's failover policy asks for and a live day does not have."""
    policy = scenario.policies.failover
    if policy.mode == "none" or not policy.pairs:
        return []
    wrong = {
        "mode: manual": policy.mode == "manual",
        "move: anycast": policy.move == "anycast",
        "vantage: other than internet": any(each != "internet" for each in policy.vantage),
        "approval": policy.approval is not None,
        "databases: other than []": policy.databases != [],
        "step_failure": policy.step_failure > 0.0,
        "failback.enabled: true": policy.failback.enabled,
    }
    return [what for what, has in wrong.items() if has]


class RegionFailover:
    """All regions that have a partner."""

    def __init__(self, scenario: Scenario, target: Target, notebook: Notebook, random: Random) -> None:
        self._scenario, self._target, self._notebook, self._random = scenario, target, notebook, random
        self._policy = scenario.policies.failover
        self._left: set[str] = set()
        """Regions whose traffic is away."""
        safe = [name for name in scenario.load.classes if name in target.routes and target.routes[name].method in {"GET", "HEAD"}]
        self._class = (safe or [name for name in scenario.load.classes if name in target.routes])[0]

    def looks(self) -> Iterator[Callable[[], None]]:
        """One thread a region."""
        if moves_names(self._scenario, self._target):
            for home in self._policy.pairs:
                yield partial(self._watch, home)

    def _watch(self, home: str) -> None:
        results: deque[tuple[float, bool]] = deque(maxlen=self._policy.trigger.last)
        armed = True
        for _ in every(self._policy.probe_interval, self._random.uniform(0.0, self._policy.probe_interval)):
            asked = self._notebook.clock.now()
            results.append((asked, self._answers(home)))
            failed = [at for at, answered in results if not answered]
            if len(failed) < self._policy.trigger.failed:
                armed = True
            elif armed and home not in self._left and asked >= 0.0:
                armed = False
                self._fail_over(home, failed, len(results))

    def _answers(self, region: str) -> bool:
        """A request of a client, sent to the entry of the region from outside."""
        limit_s = self._policy.probe_timeout
        return send(self._target, self._class, region, limit_s, self._random).good(limit_s)

    def _fail_over(self, home: str, failed: list[float], of: int) -> None:
        target, now = self._policy.pairs[home], self._notebook.clock.now
        name = f"{home}->{target}"
        why = f"failed probes from internet: {len(failed)} of the last {of}"
        self._say("failover.triggered", home, failover=name, why=why, by=BY)
        self._step(home, name, "detect", "succeeded", now() - failed[0])
        began = now()
        time.sleep(self._policy.decide.mean)
        self._step(home, name, "decide", "succeeded", now() - began)
        for step, play in (("check", self._check), ("move", self._move)):
            began = now()
            problem = play(home, target)
            self._step(home, name, step, "succeeded" if problem is None else "failed", now() - began)
            if problem is not None:
                self._say("failover.failed", home, failover=name, step=step, why=problem)
                return
        self._left.add(home)
        self._say("failover.completed", home, failover=name, to=target)

    def _check(self, home: str, target: str) -> str | None:
        del home
        return None if not self._policy.check_target or self._answers(target) else f"{target} does not answer"

    def _move(self, home: str, target: str) -> str | None:
        """Leave the region's address out of the answer."""
        ttl_s = ttl_of(self._scenario)
        stay = [region for region in self._target.entries if region not in self._left | {home}]
        try:
            point(self._target, stay or [target], ttl_s)
        except GamedayError as error:
            return f"the record could not be changed: {error}"
        for origin, each in self._scenario.system.traffic.origins.items():
            if each.region == home:
                data: dict[str, JSON] = {"record": origin, "to": target, "ttl_s": ttl_s}
                self._notebook.say("dns.changed", f"dns/{origin}", data)
        return None

    def _step(self, home: str, name: str, step: str, outcome: str, took_s: float) -> None:
        self._say("failover.step", home, failover=name, step=step, outcome=outcome, took_s=took_s)

    def _say(self, kind: str, home: str, **data: JSON) -> None:
        self._notebook.say(kind, f"region/{home}", data)
