"""From the policies of stations to words in the arena: queues, limiters and outlier ejection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.traffic.compiled import layout as at
from sim.traffic.plan import LimiterPlan, OutlierPlan, StationPlan
from sim.traffic.state import newest_first_above

if TYPE_CHECKING:
    from sim.traffic.compiled.tables import Tables


def lay_queue(tables: Tables, record: int, plan: StationPlan) -> None:
    """Whose turn it is at a station, and who is dropped."""
    word, real = tables.arena.word, tables.arena.real
    word[record + at.S_LIFO_ABOVE] = newest_first_above(plan)
    word[record + at.S_DROPS] = at.BY_CODEL * (plan.codel is not None) + at.BY_DEADLINE * plan.drop_expired
    if plan.codel is not None:
        real[record + at.S_CODEL_TARGET], real[record + at.S_CODEL_INTERVAL] = plan.codel.target_s, plan.codel.interval_s


def lay_limiter(tables: Tables, plan: LimiterPlan) -> int:
    """The limiter of one instance."""
    record = tables.arena.take(at.LIMITER_WORDS)
    real = tables.arena.real
    tables.arena.word[record + at.L_ADAPTIVE] = plan.adaptive
    real[record + at.L_LIMIT] = real[record + at.L_FIRST] = plan.limit
    real[record + at.L_LEAST], real[record + at.L_MOST], real[record + at.L_WINDOW] = plan.least, plan.most, plan.window_s
    for priority, share in enumerate(plan.shares):
        real[record + at.L_SHARES + priority] = share
    return record


def lay_outlier(tables: Tables, plan: OutlierPlan) -> int:
    """How a station ejects outliers."""
    record = tables.arena.take(at.OUTLIER_WORDS)
    tables.arena.word[record + at.O_FAILURES] = plan.failures
    real = tables.arena.real
    real[record + at.O_BASE], real[record + at.O_LONGEST] = plan.base_s, plan.longest_s
    real[record + at.O_INTERVAL], real[record + at.O_MOST] = plan.interval_s, plan.most_ratio
    return record
