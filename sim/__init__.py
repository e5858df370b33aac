"""A stand-in for reality: traffic, services, failure domains, databases, networks and people.

`run(scenario, seed, replication)` plays one day and returns its record. The same scenario, seed and replication give the same
record to the byte; another replication is another day of the same world.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gameday.scenario.model import Scenario
    from gameday.scores import Recording
    from sim.traffic.engines import EngineKind
    from sim.wiring import Wiring

__all__ = ["run"]


def run(
    scenario: Scenario,
    seed: int,
    replication: int = 0,
    wiring: Wiring | None = None,
    engine: EngineKind = "auto",
    *,
    traced: bool = False,
    quiet: bool = False,
) -> Recording:
    """Play one day. `wiring` may be handed in when many replications of one scenario are played.

    `engine` chooses who plays the traffic; the record is the same to the byte whichever does. `traced` adds the stories of
    some requests and the series that explain each station, and changes nothing else. `quiet`: time in which nothing happens is not played
    but drawn from seconds that were; another day then, of the same distribution (docs/explanation/quiet-stretches.md).
    """
    from gameday.scores import Recording
    from sim.day import Day
    from sim.people import start_people
    from sim.recorder import Recorder
    from sim.streams import Streams
    from sim.wiring import build

    streams, recorder = Streams(seed, replication), Recorder()
    start = {"scenario": scenario.name, "seed": seed, "replication": replication, "duration_s": scenario.duration}
    recorder.record(0.0, "run.started", f"scenario/{scenario.name}", start)
    day = Day.begin(scenario, wiring or build(scenario), streams, recorder, engine, traced=traced, quiet=quiet)
    start_people(day)
    day.world.env.run(until=scenario.duration)
    day.measures.finish()
    for cluster in day.world.clusters.values():
        cluster.finish()
    recorder.record(scenario.duration, "run.ended", f"scenario/{scenario.name}", {})
    traces = day.measures.tracer.traces() if day.measures.tracer else ()
    return Recording(recorder.timeline, recorder.series(), traces, day.jumped_s)
