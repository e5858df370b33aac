"""Locust plays a scenario's load on a target: `locust -f loadtests/locustfile.py --scenario S --target T [--headless]`.

With workers (`--processes 2`, or `--worker` on other machines) give `--drivers 2`, so that each has one driver of every class; a driver
sends its share of the arrivals. The rule that surprises: this module must be imported by Locust and by nobody else, because Locust
replaces the threads of the process it is imported in.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import gevent
from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.runners import MasterRunner

from gameday.errors import GamedayError
from loadtests.plan import LoadPlan
from loadtests.recorder import Recorder
from loadtests.shape import DayShape
from loadtests.users.open_loop import OpenLoop

PARENT_LOOK_EVERY_S = 0.5


def _add_arguments(parser: LocustArgumentParser) -> None:
    group = parser.add_argument_group("gameday")
    group.add_argument("--scenario", default=os.environ.get("GAMEDAY_SCENARIO", ""), help="Scenario file")
    group.add_argument("--target", default=os.environ.get("GAMEDAY_TARGET", "lab"), help="Target file, or the name of a lab")
    group.add_argument("--overrides", default="", help="Settings to change, path=value, separated by ';'")
    group.add_argument("--seed", type=int, default=1, help="Root of the arrivals' randomness")
    group.add_argument("--drivers", type=int, default=1, help="Drivers per class; as many as there are workers")
    group.add_argument("--stream", default="", help="Folder for the per-second streams")
    group.add_argument("--clock", default="", help="File that says when instant 0 is")


def _classes() -> dict[str, Any]:
    """User classes and shape have to be there before Locust reads its options, so they are read twice."""
    known = LocustArgumentParser(add_help=False)
    _add_arguments(known)
    options, _ = known.parse_known_args()
    if not options.scenario:
        sys.exit("loadtests/locustfile.py needs --scenario (or GAMEDAY_SCENARIO)")
    try:
        plan = LoadPlan.of(options)
    except GamedayError as error:
        sys.exit(str(error))
    if not plan.classes:
        sys.exit(f"the target {plan.target.name} has a route for none of {', '.join(plan.scenario.load.classes)}")
    made: dict[str, Any] = {}
    for name in plan.classes:
        model = plan.scenario.load.classes[name]
        made[name.replace("-", "_").replace(".", "_")] = type(
            name,
            (OpenLoop,),
            {
                "abstract": False,
                "fixed_count": plan.drivers,
                "request_class": name,
                "model": model,
                "route": plan.target.routes[name],
                "plan": plan,
                "network_timeout": model.timeout,
                "connection_timeout": model.timeout,
            },
        )
    made["Day"] = type("Day", (DayShape,), {"abstract": False, "plan": plan})
    return made


globals().update(_classes())


def _begin(environment: Any, **_: Any) -> None:
    """One recorder a process; the master of workers sends nothing and records nothing."""
    plan: LoadPlan = environment.user_classes[0].plan
    stream = None if isinstance(environment.runner, MasterRunner) else plan.stream
    recorder = Recorder(stream, plan.starts_at())
    for each in environment.user_classes:
        each.recorder = recorder
        each.started = 0
    if environment.shape_class is not None:
        type(environment.shape_class).recorder = recorder
    gevent.spawn(recorder.run)
    environment.events.cpu_warning.add_listener(lambda cpu_usage, **_: recorder.note("cpu_warning", float(cpu_usage)))
    if plan.clock is not None:
        gevent.spawn(_end_with_parent)


def _end(environment: Any, **_: Any) -> None:
    """The test was stopped or is over; the process may go on, for Locust's own page can start another."""
    environment.user_classes[0].recorder.end()


def _end_with_parent() -> None:
    """A generator whose controller was killed would go on for ever."""
    parent = os.getppid()
    while os.getppid() == parent:
        gevent.sleep(PARENT_LOOK_EVERY_S)
    os._exit(0)


events.init_command_line_parser.add_listener(_add_arguments)  # type: ignore[no-untyped-call]
events.test_start.add_listener(_begin)  # type: ignore[no-untyped-call]
events.test_stop.add_listener(_end)  # type: ignore[no-untyped-call]
