"""The names of what Python asks of the machine, of its answers, and of its steps."""

from __future__ import annotations

ADVANCE, WORK_OFF, GAUGE, KILL, FREEZE, SET_FACTOR, FIRST_ARRIVAL, THINK, ROTATE = range(9)
"""To play what comes, to play what a change has left to do, to bring the gauges of stations up to date, and parts of changes."""
COMPLETE, SHORT, WATCHED = range(3)
"""Answers to the first two: all is done, draws or room run short, a watch has spoken up."""

IDLE, DELIVER, SETTLE, CALL_OVER, WORKED, PARALLEL, NEXT_CALL, FINISH, LEAVE, PUMP, COMMITTED, FILL, FINISHED, FORSAKE = range(14)

Step = tuple[int, int, int]
"""What follows: the step, the attempt it is about, and an outcome (DELIVER: the kind of event)."""
