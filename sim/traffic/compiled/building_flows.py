"""From flows of requests to records in the arena."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.traffic import BUCKETS
from sim.traffic.bursts import begins_in_burst, stream_of
from sim.traffic.compiled import layout as at
from sim.traffic.plan import BurstPlan, FlowPlan

if TYPE_CHECKING:
    from sim.traffic.compiled.tables import Tables


def add_flow(tables: Tables, plan: FlowPlan) -> None:
    """The record of one flow, with its rates, its people and its counts."""
    arena = tables.arena
    record = arena.take(at.F_LATENCY + BUCKETS)
    tables.flows.append(record)
    tables.draws.exponentials(record + at.F_DRAWS, f"arrivals/{plan.name}")
    table = arena.take(max(1, 2 * len(plan.rate)))
    entered = arena.take(2 * len(tables.plan.stations) + 1)
    places = arena.take(len(tables.plan.stations) + 1)
    users = arena.take(plan.users * at.USER_WORDS)
    word, real = arena.word, arena.real
    request_class = tables.plan.classes[plan.request_class]
    word[record + at.F_PRIORITY] = request_class.priority
    word[record + at.F_CLASS] = plan.request_class
    real[record + at.F_DEADLINE] = request_class.deadline_s
    word[record + at.F_PROPAGATES] = request_class.propagates
    word[record + at.F_ENTRY] = tables.edge(plan.entry)
    real[record + at.F_FACTOR] = 1.0
    word[record + at.F_TABLE] = table
    word[record + at.F_TABLE_SIZE] = len(plan.rate)
    for offset, (start_s, rate) in enumerate(plan.rate):
        real[table + 2 * offset], real[table + 2 * offset + 1] = start_s, rate
    word[record + at.F_ROW] = tables.path(plan.origin, 0)
    word[record + at.F_BUCKET] = tables.buckets + plan.request_class * at.TOKEN_BUCKET_WORDS
    real[record + at.F_THINK] = plan.think_s
    word[record + at.F_USERS] = users
    word[record + at.F_USER_COUNT] = plan.users
    word[record + at.F_ENTERED] = entered
    word[record + at.F_PLACES] = places
    if plan.burst is not None:
        _lay_bursts(tables, record, plan.burst)
    for number in range(plan.users):
        word[users + number * at.USER_WORDS + at.U_FLOW] = record


def _lay_bursts(tables: Tables, record: int, plan: BurstPlan) -> None:
    tables.draws.exponentials(record + at.F_BURST_DRAWS, stream_of(plan))
    word, real = tables.arena.word, tables.arena.real
    bursting = begins_in_burst(plan, tables.draws.streams)
    word[record + at.F_BURSTY] = 1
    word[record + at.F_BURSTING] = bursting
    real[record + at.F_CALM_RATE], real[record + at.F_BURST_RATE] = plan.calm_rate, plan.burst_rate
    real[record + at.F_CALM_S], real[record + at.F_BURST_S] = plan.calm_s, plan.burst_s
    real[record + at.F_EXTRA] = plan.burst_rate if bursting else plan.calm_rate
