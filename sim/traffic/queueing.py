"""Whose turn it is in an instance's queue, and who is dropped when it comes.

The rule that surprises: nobody is dropped while waiting. A request that has waited too long is found out when a slot is free for it, so a
queue without free slots stays as long as it is, up to its limit.
"""

from __future__ import annotations

from sim.traffic.state import Attempt, Instance


def take_next(instance: Instance) -> Attempt:
    """Take who is next out of the queue, which is not empty; it may have been cancelled long ago."""
    for lane in instance.order[:-1]:
        if lane:
            return lane.popleft()
    last = instance.order[-1]
    return last.pop() if instance.queued > instance.station.newest_first_above else last.popleft()


def overdue(attempt: Attempt, instance: Instance, now: float) -> bool:
    """Whether an attempt whose turn has come is dropped instead of served."""
    plan, root = instance.station.plan, attempt.root
    if plan.drop_expired and now - root.born > root.flow.deadline_s:
        return True
    codel = plan.codel
    if codel is None:
        return False
    limit_s = codel.target_s if now - instance.filled_at >= codel.interval_s else codel.interval_s
    return now - attempt.held_since > limit_s
