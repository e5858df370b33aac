"""The names of the machine's steps."""

from __future__ import annotations

IDLE, DELIVER, SETTLE, CALL_OVER, WORKED, PARALLEL, NEXT_CALL, FINISH, LEAVE, PUMP, COMMITTED, FILL, FINISHED, FORSAKE = range(14)

Step = tuple[int, int, int]
"""What follows: the step, the attempt it is about, and an outcome (DELIVER: the kind of event)."""
