"""Outlier ejection: an instance whose answers are failures, one after the other, is left out for a while. Envoy's rules.

The detector belongs to the station, like health checks: it hears the outcomes of all callers together. An instance that has failed
`failures` times in a row is ejected for `base_s` times the number of its ejections, at most `longest_s`; each `interval_s` it then spends
in rotation takes one off that number. One instance may always be ejected, a further one only while no more than `most_ratio` of all are.
The rule that surprises: time alone brings it back, whatever state it is in.
"""

from __future__ import annotations

from heapq import heappush

from sim.traffic import Note
from sim.traffic.core import OK, RETURN, Core
from sim.traffic.noted import NOTE_KINDS, OUTLIER_EJECTED, OUTLIER_READMITTED, PANIC_ENDED, PANIC_STARTED
from sim.traffic.plan import OutlierPlan
from sim.traffic.state import Attempt, Instance, Station


class Ejecting(Core):
    """The detector of every station that has one."""

    def _judge(self, attempt: Attempt, outcome: int) -> None:
        """A caller has learnt the outcome of an attempt that was sent."""
        instance = attempt.instance
        plan = instance.station.plan.outlier
        if plan is None:
            return
        if outcome == OK:
            instance.failures_in_row = 0
            return
        instance.failures_in_row += 1
        if instance.failures_in_row >= plan.failures and not instance.ejected and self._may_eject(instance, plan):
            self._eject(instance, plan)

    @staticmethod
    def _may_eject(instance: Instance, plan: OutlierPlan) -> bool:
        listed = instance.station.listed()
        ejected = sum(each.ejected for each in listed)
        return not ejected or ejected + 1 <= plan.most_ratio * len(listed)

    def _eject(self, instance: Instance, plan: OutlierPlan) -> None:
        forgiven = int((self.now - instance.returned_at) / plan.interval_s)
        instance.ejections = max(0, instance.ejections - forgiven) + 1
        instance.ejected = True
        instance.failures_in_row = 0
        self._note(OUTLIER_EJECTED, instance)
        self._rotate(instance.station)
        away_s = min(plan.base_s * instance.ejections, max(plan.longest_s, plan.base_s))
        heappush(self._heap, (self.now + away_s, self._tick(), RETURN, instance))

    def _readmit(self, instance: Instance) -> None:
        """The time of an ejected instance is over."""
        instance.ejected = False
        instance.failures_in_row = 0
        instance.returned_at = self.now
        self._note(OUTLIER_READMITTED, instance)
        self._rotate(instance.station)

    def _note(self, kind: int, instance: Instance) -> None:
        station = instance.station
        self._notes.append(Note(self.now, NOTE_KINDS[kind], station.index, station.instances.index(instance)))

    def _rotate(self, station: Station, *, refresh: bool = False) -> None:
        """Who is in rotation may have changed; a panic that begins or ends with that is noted."""
        panicked = station.panics
        if refresh:
            station.refresh()
        else:
            station.rotate()
        if station.panics != panicked:
            self._notes.append(Note(self.now, NOTE_KINDS[PANIC_STARTED if station.panics else PANIC_ENDED], station.index))
