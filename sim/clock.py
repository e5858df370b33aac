"""The control plane's clock, which lets the data plane go ahead of it as long as somebody waits for a condition there.

The rule that surprises: only then. Otherwise the data plane is brought up to date when somebody looks at it or changes it, and a day whose
controllers all wait for times plays as under SimPy's own environment.
"""

from __future__ import annotations

from heapq import heappop, heappush
from math import inf
from typing import Any

import simpy
from simpy.events import NORMAL, URGENT

from sim.processes import Process
from sim.traffic import Engine, Stop, Watch

_WATCH = Stop.WATCH  # an attribute of an enumeration is slow to look up


class Clock(simpy.Environment):
    """SimPy's environment with `when`: wait for the data plane instead of polling it."""

    def __init__(self) -> None:
        super().__init__()
        self._awaited: dict[int, simpy.Event] = {}
        self._engine: Engine | None = None
        self._stopped = False  # a condition has come to hold and nobody has been told yet

    def when(self, engine: Engine, condition: Watch) -> simpy.Event:
        """An event of the instant at which the condition comes to hold; the engine must have been brought to the present."""
        assert self._engine is None or self._engine is engine, "one data plane a day"
        self._engine = engine
        event = self.event()
        self._awaited[engine.watch(condition)] = event
        return event

    def at(self, time: float, priority: simpy.events.EventPriority = NORMAL) -> simpy.Event:
        """An event of exactly that instant, which a delay from now may miss by the last bit; time does not go back."""
        assert time >= self.now, f"{time} has passed at {self.now}"
        event = self.event()
        event._ok, event._value = True, None
        heappush(self._queue, (time, priority, next(self._eid), event))
        return event

    def look(self, process: Process) -> None:
        """Start a process that only looks, again and again, and does something about what it sees at once or by a process of its own."""
        self.process(process)

    def bring(self, engine: Engine) -> None:
        """Bring the data plane to the present."""
        if engine.now < self.now:
            while engine.advance(self.now) is Stop.WATCH:
                self._stopped = True

    def step(self) -> None:
        """The next event of the control plane, unless a condition comes to hold before it: then that is the next event."""
        if not self._awaited or not self._stopped_before(self.peek()):
            super().step()

    def run(self, until: float | simpy.Event | None = None) -> Any:
        """As SimPy's: up to an instant, what is due at that instant excluded; quicker, because no step is a call."""
        if until is None or isinstance(until, simpy.Event):
            return super().run(until)
        if until <= self.now:
            raise ValueError(f"run(until={until}): time runs forward from now={self.now}")
        stop, queue = self.at(float(until), URGENT), self._queue
        while True:  # the last event is `stop`
            if self._awaited and self._stopped_before(queue[0][0]):
                continue
            self._now, _, _, event = heappop(queue)
            if event is stop:
                return None
            callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment] # as SimPy does
            for callback in callbacks:
                callback(event)
            if not event._ok and not hasattr(event, "_defused"):
                raise event._value

    def _stopped_before(self, soon: float) -> bool:
        """Let the data plane go ahead up to the next event; whether it stopped on the way."""
        engine = self._engine
        assert engine is not None, "somebody waits for it"
        if not self._stopped and (not engine.now < soon < inf or engine.advance(soon) is not _WATCH):
            return False
        self._stopped = False
        for number in engine.take_fired():
            self._fire(self._awaited.pop(number), engine.now - self.now)
        return True

    def _fire(self, event: simpy.Event, delay_s: float) -> None:
        def succeed(_: simpy.Event) -> None:
            event.succeed()

        timeout = self.timeout(max(0.0, delay_s))
        assert timeout.callbacks is not None, "it has just been made"
        timeout.callbacks.append(succeed)


class ForeseeingClock(Clock):
    """A clock that also knows when anything is next done by somebody who does more than look: everything that was not started by `look`."""

    def __init__(self) -> None:
        super().__init__()
        self._lookers: set[simpy.Process] = set()
        self._acts: list[float] = []

    def look(self, process: Process) -> None:
        """Start a process whose own waking is nothing to be prepared for."""
        self._lookers.add(self.process(process))

    def at(self, time: float, priority: simpy.events.EventPriority = NORMAL) -> simpy.Event:
        """An event of exactly that instant; keeps the time if somebody who acts waits for it."""
        if self.active_process not in self._lookers:
            heappush(self._acts, time)
        return super().at(time, priority)

    def schedule(self, event: simpy.Event, priority: simpy.events.EventPriority = NORMAL, delay: float = 0.0) -> None:
        """As SimPy's; keeps the time if somebody who acts waits for it."""
        if delay > 0.0 and self.active_process not in self._lookers:
            heappush(self._acts, self.now + delay)
        super().schedule(event, priority, delay)

    def next_act(self) -> float:
        """When somebody who does more than look wakes next; infinite if nobody does."""
        while self._acts and self._acts[0] < self.now:
            heappop(self._acts)
        return self._acts[0] if self._acts else inf
