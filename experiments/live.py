"""A live day from scenario to run folder: predict, preflight, run, heal, score, compare.

The rule that surprises: this is the controller and it stays in the main thread, because Chaos Toolkit works nowhere else. Whatever ends
it, the guardian heals; whatever it has recorded is kept.
"""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from experiments.clock import RunClock
from experiments.compile import compiled
from experiments.finish import Finished, finish
from experiments.helpers import Guardian, Helper, start_load, start_observers, start_truth
from experiments.inventory import Inventory
from experiments.narrator import Narrator
from experiments.observe.evaluators import Wish, choose
from experiments.observe.receivers import FILE as RECEIVERS_FILE
from experiments.predict import predict
from experiments.public_record import moves_names, prepare
from experiments.rollbacks import RollbackPlan
from experiments.safety.guards import GuardThread, Watch
from experiments.safety.lever import Lever
from experiments.safety.preflight import Check, preflight
from experiments.session import CLOCK_FILE, PLAN_FILE, Session, close_sessions, new_plan, session_of
from experiments.verdict import Circumstances
from gameday.errors import GamedayError, Interrupted
from gameday.load_stream import LoadStream
from gameday.runfolder import RunFolder
from gameday.runrecord import RunRecord, installed_versions
from gameday.scenario import digest, dump
from gameday.scenario.model import Scenario
from gameday.target import Target
from gameday.timeline import JSON, Event

LEAD_S = 6.0
"""Time between the start of load and observers and instant 0: Locust needs some seconds to come up."""
ALWAYS = {"runtime": {"rollbacks": {"strategy": "always"}}}
"""Chaos Toolkit's own default leaves faults in place when a probe raises or a signal comes."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to play, on what."""

    scenario: Scenario
    target: Target
    seed: int
    replications: int
    jobs: int
    out: Path | None
    arguments: list[str]
    hands_on: bool = False
    reports: bool = True
    force: bool = False
    alerts: Wish = "auto"
    results: Path = Path("results")


class Refused(GamedayError):  # noqa: N818 - it reads as a sentence
    """The preflight failed; nothing was broken."""

    def __init__(self, checks: list[Check]) -> None:
        failed = [f"  {check.name}: {check.words}" for check in checks if not check.passed]
        super().__init__("the preflight failed, nothing was broken:\n" + "\n".join(failed))


def dry_run(request: Request) -> list[Check]:
    """Everything but the breaking."""
    return preflight(
        Inventory(request.scenario, request.target), None, Lever.of_user(), request.alerts, hands_on=request.hands_on
    )


def play_live(request: Request, tell: Callable[[str], None]) -> Finished:
    """Play a day. GamedayError when it may not begin, Interrupted when it was interrupted before anything was loaded or broken."""
    started = datetime.now(UTC)
    folder = RunFolder.create(request.results, request.scenario.name, request.seed, started, request.out, force=request.force)
    with _signals(tell):
        try:
            day = _prepare(request, folder, started, tell)
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted before anything was broken; what there is, is in {folder.path}") from None
        try:
            day.run()
        finally:
            day.stop_helpers()
        return day.finish()


def _prepare(request: Request, folder: RunFolder, started: datetime, tell: Callable[[str], None]) -> _Day:
    """Write what will be played, predict, check; nothing is touched that was not asked."""
    record = RunRecord(
        scenario=request.scenario.name,
        scenario_sha256=digest(request.scenario),
        seed=request.seed,
        replications=1,
        completed=0,
        interrupted=True,
        versions=installed_versions(),
        arguments=tuple(request.arguments),
        started=started.isoformat(timespec="seconds"),
    )
    folder.write_record(record)
    folder.write_text(folder.scenario, dump(request.scenario))
    folder.live.mkdir(exist_ok=True)
    inventory = Inventory(request.scenario, request.target)
    plan = new_plan(folder.live / PLAN_FILE, request.target.file, str(folder.scenario.resolve()), inventory)
    checks = preflight(inventory, plan, Lever.of_user(), request.alerts, hands_on=request.hands_on)
    folder.write_json(
        folder.live / "preflight.json", [{"check": one.name, "passed": one.passed, "seen": one.words} for one in checks]
    )
    if not all(check.passed for check in checks):
        raise Refused(checks)
    tell(f"preflight: {len(checks)} checks passed")
    tell(f"predicting: {request.replications} simulated days")
    prediction = predict(folder, request.seed, request.replications, request.jobs)
    tell(f"prediction registered: {folder.prediction}")
    choice = choose(request.scenario, request.target, request.alerts)
    tell(f"alert rules are evaluated by {choice.words}")
    return _Day(request, folder, record, inventory, prediction, tell, choice.kind)


@dataclass
class _Day:
    """A day that may begin."""

    request: Request
    folder: RunFolder
    record: RunRecord
    inventory: Inventory
    prediction: dict[str, Any]
    tell: Callable[[str], None]
    evaluators: str
    circumstances: Circumstances = field(default_factory=Circumstances)
    helpers: list[Helper] = field(default_factory=list)
    journal: dict[str, Any] = field(default_factory=dict)
    guardian: Guardian | None = None

    @property
    def live(self) -> Path:
        """Folder of what the processes write."""
        return self.folder.live

    def run(self) -> None:
        """Start everybody, break, heal."""
        scenario_file, target_file = self.folder.scenario.resolve(), self.request.target.file
        self.guardian = Guardian(self.live, self.live / PLAN_FILE)
        if moves_names(self.inventory.scenario, self.inventory.target):
            prepare(self.inventory.scenario, self.inventory.target, self.live)
        clock = RunClock.starting_in(LEAD_S)
        clock.write(self.live / CLOCK_FILE)
        self.helpers.append(
            start_load(self.live.resolve(), scenario_file, target_file, self.request.seed, self.live / CLOCK_FILE)
        )
        self.helpers.append(start_observers(self.live, scenario_file, target_file, self.evaluators))
        if self.inventory.target.databases:
            self.helpers.append(start_truth(self.live, scenario_file, target_file))
        experiment = compiled(self.inventory.scenario, self.inventory.target, scenario_file, self.live, self._registered())
        self.folder.write_json(self.live / "experiment.json", experiment)
        session = session_of({key: _plain(value) for key, value in experiment["configuration"].items()})
        narrator = Narrator(self.live, self.tell)
        narrator.start()
        if self.request.hands_on:
            self.tell(
                "people take part: 'gameday ack PERSON', 'gameday say TEXT', 'gameday steer PERSON ACTION'; for other clients see "
                f"{self.live / RECEIVERS_FILE}"
            )
        try:
            self._play(experiment, session, clock)
        finally:
            narrator.end()

    def _play(self, experiment: dict[str, Any], session: Session, clock: RunClock) -> None:
        assert self.guardian is not None, "nothing is broken without a guardian"
        scenario = self.inventory.scenario
        about: dict[str, JSON] = {
            "scenario": scenario.name,
            "seed": self.request.seed,
            "replication": 0,
            "duration_s": scenario.duration,
            "people": "real" if self.request.hands_on else "none",
        }
        if session.record is not None:
            session.record.write(Event(0.0, "run.started", "run", "live", about, clock.wall))
        watch = Watch(scenario, self.inventory.target.guards, clock, LoadStream(self.live), Lever.of_user(), self._helpers_live)
        guards = GuardThread(watch, self.guardian.beat, lambda reason: session.say("run.aborted", "run", reason=reason))
        guards.start()
        try:
            self.journal = _chaos(experiment, self.live / "chaostoolkit.log")
        finally:
            guards.end()
        found = self.circumstances
        found.stopped, found.unproven, found.failed = guards.reason, session.unproven, session.failed
        found.interrupted = self.journal.get("status") == "interrupted" and guards.reason is None
        before = (self.journal.get("steady_states") or {}).get("before") or {}
        found.not_steady_before = not before.get("steady_state_met", False)
        if guards.reason is None:
            self._say_the_end(session, clock)
        close_sessions()
        self.folder.write_json(self.live / "journal.json", json.loads(json.dumps(self.journal, default=str)))

    def _say_the_end(self, session: Session, clock: RunClock) -> None:
        """The day ends when it was planned to, not when Chaos Toolkit has looked at it once more."""
        if session.record is None:
            return
        t = min(clock.now(), self.inventory.scenario.duration)
        kind, data = ("run.aborted", {"reason": "interrupted"}) if self.circumstances.interrupted else ("run.ended", {})
        session.record.write(Event(t, kind, "run", "live", data, clock.wall_at(t)))

    def _helpers_live(self) -> bool:
        """Observers for the whole day; Locust ends by itself two seconds after it."""
        return all(helper.alive() for helper in self.helpers)

    def stop_helpers(self) -> None:
        """Also when the day ended in an error."""
        for helper in self.helpers:
            with suppress(OSError):
                helper.end()

    def finish(self) -> Finished:
        """Heal what is left, prove the steady state, write the record, score."""
        assert self.guardian is not None, "the guardian was started"
        plan = RollbackPlan.read(self.live / PLAN_FILE)
        guardian = self.guardian
        done = finish(
            self.folder,
            replace(self.record, completed=1),
            self.inventory,
            plan,
            self.circumstances,
            prediction=self.prediction,
            reports=self.request.reports,
            tell=self.tell,
            beat=guardian.beat,
        )
        if self.circumstances.not_healed:
            guardian.end(within_s=90.0)
        else:
            guardian.stand_down()
        return done

    def _registered(self) -> dict[str, Any]:
        """What of the prediction goes into the experiment: where it is and of what."""
        return {key: self.prediction[key] for key in ("registered", "seed", "replications", "kpis")}


def _plain(value: Any) -> str:
    """A configuration value as Chaos Toolkit resolves it, with the environment left aside: our own run names its own files."""
    return str(value["default"]) if isinstance(value, dict) else str(value)


def _chaos(experiment: dict[str, Any], log: Path) -> dict[str, Any]:
    """Run the experiment in this thread; the journal."""
    from chaoslib.experiment import ensure_experiment_is_valid, run_experiment
    from chaoslib.types import Strategy

    logger = logging.getLogger("chaostoolkit")
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        experiment = {**experiment, "configuration": {key: _plain(value) for key, value in experiment["configuration"].items()}}
        ensure_experiment_is_valid(experiment)
        journal = run_experiment(experiment, settings=ALWAYS, strategy=Strategy.DEFAULT)
    finally:
        logger.removeHandler(handler)
        handler.close()
    assert isinstance(journal, dict), "a journal is a mapping"
    return journal


@contextmanager
def _signals(tell: Callable[[str], None]) -> Iterator[None]:
    """The first Ctrl-C ends the day and heals; further ones are answered, not obeyed: healing must not be cut short."""
    interrupted = False

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        del number, frame
        if interrupted:
            with suppress(OSError):
                tell("healing and writing the record; this takes a moment")
            return
        interrupted = True
        raise KeyboardInterrupt

    previous = {each: signal.signal(each, on_signal) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


def missing_extra() -> str | None:
    """Name of the extra that is not installed; None when a live day can be played."""
    from importlib.util import find_spec

    return None if find_spec("chaoslib") and find_spec("locust") and find_spec("psycopg") else "live"


__all__ = ["Finished", "Refused", "Request", "dry_run", "missing_extra", "play_live"]
