"""Switches optional calls off while a service is under stress, and on again when it has calmed down, as the scenario's policy says.

The busiest region decides, from the slots in use that its instances report. The rule that surprises: a service of which no instance
answers is no sign of calm, so nothing is switched then (as in the simulation).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from experiments.calls import CallError, call
from experiments.observe.notebook import Notebook
from experiments.observe.pace import every
from experiments.put_back import keep
from gameday.scenario.model import Scenario
from gameday.scenario.policies import Degradation
from gameday.target import Service, Target

LOOK_EVERY_S = 1.0
CHECK_EVERY = 5
"""Looks behind one decision: the simulated controller decides every 5 s from the mean since."""
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
        service = self._target.services[rule.when]
        seen: dict[str, deque[float]] = {one.region: deque(maxlen=CHECK_EVERY) for one in service.instances}
        switch = Switch(rule)
        for number, _ in enumerate(every(LOOK_EVERY_S), 1):
            for region, used in utilisation(service).items():
                seen[region].append(used)
            if number % CHECK_EVERY == 0:
                means = [sum(values) / len(values) for values in seen.values() if values]
                change = switch.decide(max(means) if means else None, self._notebook.clock.now())
                if change is not None:
                    self._turn(rule, off=change)
                for values in seen.values():
                    values.clear()

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


def utilisation(service: Service) -> dict[str, float]:
    """Slots in use over slots, per region, of the instances that answer now."""
    gauges = service.gauges
    assert gauges is not None, "it was looked at before the day began"
    busy: dict[str, float] = {}
    slots: dict[str, float] = {}
    for one in service.instances:
        try:
            text = str(call("GET", one.url + gauges.path, timeout_s=ASK_WITHIN_S))
        except CallError:
            continue
        found = {line.partition("{")[0].split(" ")[0]: line.split()[-1] for line in text.splitlines() if line and line[0] != "#"}
        if gauges.busy in found and gauges.slots in found:
            busy[one.region] = busy.get(one.region, 0.0) + float(found[gauges.busy])
            slots[one.region] = slots.get(one.region, 0.0) + float(found[gauges.slots])
    return {region: busy[region] / slots[region] for region in busy if slots[region] > 0.0}
