"""What actions, probes and controls share during one experiment: the system, the rollback plan, the clock, the record.

The rule that surprises: it is made from the experiment's configuration alone, so that `chaos run` of an exported experiment does what
`gameday live` does. Without a run folder the rollback plan lies in `.gameday/` below the working directory, and nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from experiments.clock import RunClock
from experiments.inventory import Inventory
from experiments.proofs import Proof, prove
from experiments.rollbacks import RollbackPlan, Undo
from experiments.system import LiveSystem, live_system
from gameday.errors import GamedayError
from gameday.faults import Fault, make
from gameday.scenario import read_played
from gameday.selectors import Selector
from gameday.target import read_target
from gameday.timeline import JSON, Event
from gameday.timeline_files import TimelineWriter

TARGET: Final = "gameday_target"
SCENARIO: Final = "gameday_scenario"
RUN: Final = "gameday_run"
"""Keys of an experiment's configuration: files of target and scenario, and the live part of a run folder (may be empty)."""

PLAN_FILE: Final = "rollbacks.json"
CLOCK_FILE: Final = "clock.json"
RECORD_FILE: Final = "controller.jsonl"


@dataclass(slots=True)
class Session:
    """One experiment while it is played."""

    inventory: Inventory
    system: LiveSystem
    plan: RollbackPlan
    clock: RunClock
    record: TimelineWriter | None
    unproven: list[str] = field(default_factory=list)
    """Faults that could not be shown to bite."""
    failed: list[str] = field(default_factory=list)
    """Faults that could not be put in place or taken away, and why."""

    def say(self, kind: str, subject: str, **data: JSON) -> None:
        """Write an event down."""
        if self.record is not None:
            now = self.clock.now()
            self.record.write(Event(now, kind, subject, "live", data, self.clock.wall_at(now)))

    def begin(self, index: str) -> Undo:
        """Pin a fault's target and write on disk that it may be in place from now on. Raises before anything is broken."""
        undo = self.plan.of(index)
        if undo.state in {"planned", "healed"}:
            pinned = self.inventory.pin(Selector.parse(undo.selector))
            self.plan.mark(index, "injecting", str(pinned))
        return undo

    def inject(self, index: str) -> None:
        """Put a fault of the plan in place."""
        undo = self.begin(index)
        self.fault(undo).inject(self.system, Selector.parse(str(undo.pinned)))
        self.injected(index)

    def injected(self, index: str) -> None:
        """Write down that a fault is in place."""
        undo = self.plan.of(index)
        if undo.state == "injecting":
            self.plan.mark(index, "injected")
            self.say("fault.injected", f"fault/{index}", **_about(undo), origin="schedule")

    def heal(self, index: str, by: str = "schedule") -> None:
        """Take a fault away, if it is or may be in place."""
        undo = self.plan.of(index)
        if undo.state in {"injecting", "injected"}:
            self.fault(undo).heal(self.system, Selector.parse(str(undo.pinned)))
            self.healed(index, by)

    def healed(self, index: str, by: str = "schedule") -> None:
        """Write down that a fault is gone."""
        undo = self.plan.of(index)
        if undo.state in {"injecting", "injected"}:
            was_in_place = undo.state == "injected"
            self.plan.mark(index, "healed")
            if was_in_place:
                self.say("fault.healed", f"fault/{index}", **_about(undo), origin="schedule", by=by)

    def prove(self, index: str) -> Proof:
        """Look whether a fault bites, and write down what was seen."""
        undo = self.plan.of(index)
        if undo.pinned is None:
            return Proof(False, "it was never put in place")
        proof = prove(self.inventory, self.fault(undo), Selector.parse(undo.pinned))
        self.proven(index, proof)
        return proof

    def proven(self, index: str, proof: Proof) -> None:
        """Write down the outcome of a proof."""
        undo = self.plan.of(index)
        if proof.holds:
            about = {"fault": undo.fault, "index": index, "selector": undo.selector}
            self.say("fault.proven", f"fault/{index}", probe=proof.words, **about)
        else:
            self.unproven.append(f"{undo.fault} {undo.selector}: {proof.words}")
            self.say("note", f"fault/{index}", text=f"not proven to bite: {proof.words}")

    def refuse(self, index: str, why: str) -> None:
        """Write down that a fault could not be put in place or taken away."""
        undo = self.plan.of(index)
        self.failed.append(f"{undo.fault} {undo.selector}: {why}")
        about = {"fault": undo.fault, "index": index, "selector": undo.selector}
        self.say("fault.failed", f"fault/{index}", **about, why=why)

    @staticmethod
    def fault(undo: Undo) -> Fault:
        """The fault of an entry of the plan."""
        return make(undo.fault, undo.parameters)


def _about(undo: Undo) -> dict[str, JSON]:
    fault = make(undo.fault, undo.parameters)
    return {"fault": undo.fault, "index": undo.index, "selector": undo.selector, "parameters": fault.parameters_in_words()}


_sessions: dict[str, Session] = {}


def session_of(configuration: Mapping[str, Any] | None) -> Session:
    """The session of an experiment; made when it is first asked for."""
    found = configuration or {}
    missing = [key for key in (TARGET, SCENARIO) if not found.get(key)]
    if missing:
        raise GamedayError(f"the experiment's configuration lacks {' and '.join(missing)}")
    run = str(found.get(RUN) or "")
    key = "\0".join((str(found[TARGET]), str(found[SCENARIO]), run))
    if key not in _sessions:
        _sessions[key] = _open(str(found[TARGET]), str(found[SCENARIO]), run)
    return _sessions[key]


def close_sessions() -> None:
    """Forget all sessions, and bring their records to the disk."""
    for each in _sessions.values():
        if each.record is not None:
            each.record.close()
    _sessions.clear()


def new_plan(path: Path, target: str, scenario_file: str, inventory: Inventory) -> RollbackPlan:
    """The plan of a scenario's schedule, with nothing in place."""
    faults = [
        Undo(
            str(index),
            each.fault,
            dict(each.parameters),
            each.target,
            live=each.live.model_dump(mode="json") if each.live else None,
        )
        for index, each in enumerate(inventory.scenario.schedule.faults)
    ]
    return RollbackPlan(path, target, scenario_file, faults)


def _open(target_file: str, scenario_file: str, run: str) -> Session:
    inventory = Inventory(read_played(scenario_file), read_target(target_file))
    folder = Path(run) if run else Path(".gameday") / inventory.scenario.name
    folder.mkdir(parents=True, exist_ok=True)
    plan_file, clock_file = folder / PLAN_FILE, folder / CLOCK_FILE
    if plan_file.exists():
        plan = RollbackPlan.read(plan_file)
        if plan.open():
            raise GamedayError(
                f"{plan_file} says that something is still broken from before; heal it first: gameday heal {folder}"
            )
    if not run:
        plan_file.unlink(missing_ok=True)
    if not plan_file.exists():
        plan = new_plan(plan_file, target_file, scenario_file, inventory)
        plan.write()
    clock = RunClock.read(clock_file) if run and clock_file.exists() else RunClock.starting_in(0.0)
    record = TimelineWriter(folder / RECORD_FILE) if run else None
    return Session(inventory, live_system(inventory), plan, clock, record)
