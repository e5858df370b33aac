"""Switches optional calls off while a service is under stress, and on again when it has calmed down, as the scenario's policy says.

The busiest region decides, from the slot-seconds that its instances report. The rule that surprises: a service of which no instance
answers is no sign of calm, so nothing is switched then (as in the simulation).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from experiments.calls import CallError, call
from experiments.observe.notebook import Notebook
from experiments.observe.pace import every
from experiments.put_back import keep
from gameday.scenario.model import Scenario
from gameday.scenario.policies import Degradation
from gameday.target import Instance, Service, Target

CHECK_EVERY_S = 5.0
"""As often as the simulated controller decides, from the mean since."""
ASK_WITHIN_S = 1.0
BY = "controller"


def parties(rule: Degradation) -> tuple[str, str]:
    """The service that calls, and what it calls."""
    caller, _, target = (part.strip() for part in rule.disable.partition("->"))
    return caller, target


def cannot_switch(scenario: Scenario, target: Target) -> list[str]:
    """What a scenario's degradation policies need and the target does not name."""
    wrong = []
    for rule in scenario.policies.degradation:
        caller, called = parties(rule)
        if caller not in target.services or called not in target.services[caller].features:
            wrong.append(f"how {caller} is told to do without {called} (services.{caller}.features)")
        if rule.when not in target.services or target.services[rule.when].gauges is None:
            wrong.append(f"where the use of {rule.when} is read (services.{rule.when}.gauges)")
    return wrong


class Degrader:
    """The controllers of all rules."""

    def __init__(self, scenario: Scenario, target: Target, notebook: Notebook, live: Path) -> None:
        self._scenario, self._target, self._notebook, self._live = scenario, target, notebook, live

    def looks(self) -> Iterator[Callable[[], None]]:
        """One thread a rule."""
        if not cannot_switch(self._scenario, self._target):
            for rule in self._scenario.policies.degradation:
                yield partial(self._watch, rule)

    def _watch(self, rule: Degradation) -> None:
        use, switch = Use(self._target.services[rule.when]), Switch(rule)
        for _ in every(CHECK_EVERY_S):
            now = self._notebook.clock.now()
            means = use.since_last(now)
            change = switch.decide(max(means.values()) if means else None, now)
            if change is not None:
                self._turn(rule, off=change)

    def _turn(self, rule: Degradation, *, off: bool) -> None:
        """Tell every instance of the caller; one that does not hear it starts with the feature on anyway."""
        caller, called = parties(rule)
        service = self._target.services[caller]
        feature = service.features[called]
        for one in service.instances:
            if off:
                keep(self._live, f"{called} at {one.name}", "PUT", one.url + feature.path, feature.on)
            try:
                call("PUT", one.url + feature.path, feature.off if off else feature.on, timeout_s=ASK_WITHIN_S)
            except CallError as error:
                self._notebook.say("note", f"service/{caller}", {"text": f"{one.name} was not told about {called}: {error}"})
        name = f"{caller} -> {called}"
        kind = "degradation.started" if off else "degradation.ended"
        self._notebook.say(kind, f"feature/{name}", {"feature": name, "by": BY})


class Switch:
    """When one rule switches: a machine that is told the time and the use of the busiest region."""

    def __init__(self, rule: Degradation) -> None:
        """On."""
        self._rule = rule
        self._off = False
        self._above_since: float | None = None
        self._below_since: float | None = None

    def decide(self, used: float | None, now: float) -> bool | None:
        """True = off now, False = on again, None = as it is; `used` None = nothing answers."""
        above = used is not None and used > self._rule.above
        below = used is not None and used < self._rule.restore_below
        self._above_since = (self._above_since if self._above_since is not None else now) if above else None
        self._below_since = (self._below_since if self._below_since is not None else now) if below else None
        if not self._off and self._above_since is not None and now - self._above_since >= self._rule.lasting:
            self._off = True
            return True
        if self._off and self._below_since is not None and now - self._below_since >= self._rule.restore_after:
            self._off = False
            return False
        return None


class Use:
    """Share of the slots of a service that was in use, per region, between two looks."""

    def __init__(self, service: Service) -> None:
        """Nothing has been looked at yet."""
        self._service = service
        self._before: dict[str, tuple[float, float]] = {}
        """Instance to when it was looked at and its slot-seconds then."""

    def since_last(self, now: float) -> dict[str, float]:
        """Regions with instances that answered this time and the last."""
        worked: dict[str, float] = {}
        could: dict[str, float] = {}
        for one in self._service.instances:
            found = self._read(one)
            before = self._before.pop(one.name, None)
            if found is None:
                continue
            busy_s, slots = found
            self._before[one.name] = (now, busy_s)
            if before is not None and busy_s >= before[1] and now > before[0]:
                worked[one.region] = worked.get(one.region, 0.0) + busy_s - before[1]
                could[one.region] = could.get(one.region, 0.0) + slots * (now - before[0])
        return {region: worked[region] / could[region] for region in worked if could[region] > 0.0}

    def _read(self, one: Instance) -> tuple[float, float] | None:
        gauges = self._service.gauges
        assert gauges is not None, "it was looked at before the day began"
        try:
            text = str(call("GET", one.url + gauges.path, timeout_s=ASK_WITHIN_S))
        except CallError:
            return None
        found = {line.partition("{")[0].split(" ")[0]: line.split()[-1] for line in text.splitlines() if line and line[0] != "#"}
        if gauges.busy_seconds not in found or gauges.slots not in found:
            return None
        return float(found[gauges.busy_seconds]), float(found[gauges.slots])
