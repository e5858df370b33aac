"""A scenario as a Chaos Toolkit experiment: what is steady from the objectives, the method from the schedule, a rollback for every fault.

The rule that surprises: a rollback undoes only what the plan on disk says is in place, so it is harmless after a method that has healed
everything already, and it is played in the order in which faults have to be undone: the last one first.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from experiments.session import RUN, SCENARIO, TARGET
from gameday import __version__
from gameday.scenario import digest
from gameday.scenario.model import Scenario
from gameday.scenario.schedule import ScheduledFault
from gameday.target import Target

INJECT: Final = "inject-"
HEAL: Final = "heal-"
PROVEN: Final = "proven-"
"""What the names of activities begin with; the number of the fault in the schedule follows."""

REQUESTS: Final = 10
"""Requests with which the steady state of a class is looked at."""
STEADY_WITHIN_S: Final = 20.0
"""Time a class has to be answered well: load and observers start at the same moment and slow a small machine down."""
EXTENSION: Final = "gameday"


def compiled(
    scenario: Scenario, target: Target, scenario_file: Path, run: Path | None = None, prediction: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The experiment, as Chaos Toolkit reads it."""
    faults = list(enumerate(scenario.schedule.faults))
    return {
        "title": scenario.title,
        "description": " ".join(scenario.teaches.split()),
        "tags": ["gameday", scenario.name],
        "configuration": {
            TARGET: _from_environment("GAMEDAY_TARGET", target.file),
            SCENARIO: _from_environment("GAMEDAY_SCENARIO", str(scenario_file.resolve())),
            RUN: str(run.resolve()) if run else "",
        },
        "controls": [{"name": "gameday", "provider": {"type": "python", "module": "experiments.controls"}}],
        "steady-state-hypothesis": steady_state(scenario, target),
        "method": _method(scenario, faults),
        "rollbacks": [_heal(index, fault) for index, fault in reversed(faults)],
        "runtime": {"rollbacks": {"strategy": "always"}},
        "extensions": [
            {
                "name": EXTENSION,
                "version": __version__,
                "scenario": scenario.name,
                "scenario_sha256": digest(scenario),
                "prediction": dict(prediction or {}),
            }
        ],
    }


def steady_state(scenario: Scenario, target: Target) -> dict[str, Any]:
    """Every class with a route is answered as its indicator demands, and every database has one primary."""
    probes: list[dict[str, Any]] = [
        {
            "type": "probe",
            "name": f"{name} is answered well",
            "tolerance": {"type": "range", "range": [each.indicator.good, 1.0]},
            "provider": _python(
                "probes",
                "good_ratio",
                request_class=name,
                requests=REQUESTS,
                deadline=each.deadline,
                at_least=each.indicator.good,
                within=STEADY_WITHIN_S,
            ),
        }
        for name, each in scenario.load.classes.items()
        if name in target.routes
    ]
    probes += [
        {
            "type": "probe",
            "name": f"{name} has one primary",
            "tolerance": 1,
            "provider": _python("probes", "primaries", database=name),
        }
        for name in target.databases
        if name in scenario.system.databases
    ]
    return {"title": "users are served well", "probes": probes}


def _method(scenario: Scenario, faults: list[tuple[int, ScheduledFault]]) -> list[dict[str, Any]]:
    """What happens in order of time; at the same instant, what is taken away comes first."""
    moments: list[tuple[float, int, int, list[dict[str, Any]]]] = []
    for index, fault in faults:
        moments.append((fault.at, 1, index, [_inject(index, fault), _proven(index, fault)]))
        if fault.lasts is not None and fault.at + fault.lasts < scenario.duration:
            moments.append((fault.at + fault.lasts, 0, index, [_heal(index, fault)]))
    method: list[dict[str, Any]] = []
    for at, _, _, activities in sorted(moments, key=lambda moment: moment[:3]):
        method += [_wait(at), *activities]
    return [*method, _wait(scenario.duration)]


def _inject(index: int, fault: ScheduledFault) -> dict[str, Any]:
    provider = fault.live.provider if fault.live else _python("actions", "inject", index=str(index))
    return {"type": "action", "name": f"{INJECT}{index}", "provider": provider}


def _heal(index: int, fault: ScheduledFault) -> dict[str, Any]:
    provider = fault.live.rollback if fault.live else _python("actions", "heal", index=str(index))
    return {"type": "action", "name": f"{HEAL}{index}", "provider": provider}


def _proven(index: int, fault: ScheduledFault) -> dict[str, Any]:
    probe: dict[str, Any] = {"type": "probe", "name": f"{PROVEN}{index}"}
    if fault.live is None or fault.live.proof is None:
        return {**probe, "provider": _python("probes", "proven", index=str(index))}
    return {**probe, "provider": fault.live.proof.provider, "tolerance": fault.live.proof.tolerance}


def _wait(at: float) -> dict[str, Any]:
    return {"type": "action", "name": f"until {at:g} s", "provider": _python("actions", "wait_until", at=at)}


def _python(module: str, function: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "python", "module": f"experiments.{module}", "func": function, "arguments": arguments}


def _from_environment(variable: str, default: str) -> dict[str, str]:
    return {"type": "env", "key": variable, "default": default}
