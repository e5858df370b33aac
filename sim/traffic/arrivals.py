"""When requests arrive: a Poisson process with a changing rate, or people who think and then ask again.

The rule that surprises: what is drawn is not a gap but a unit-exponential *mass*, and the rate (table times factor) eats it up.
When the rate changes, the mass that is left stays, so two runs on one seed see the same arrivals in stretched time.
"""

from __future__ import annotations

from math import inf

from sim.traffic.clients import Flow, User


def arrive_at(flow: Flow) -> float:
    """When the next request of an open flow arrives; infinite if the rate is 0 from here on."""
    table = flow.plan.rate
    at, mass, segment = flow.mass_at, flow.mass, flow.segment
    last = len(table) - 1
    while segment <= last:
        rate = (table[segment][1] + flow.extra) * flow.factor
        end = table[segment + 1][0] if segment < last else inf
        if rate > 0.0:
            due = at + mass / rate
            if due < end:
                return due
            mass = max(0.0, mass - rate * (end - at))
        at = end
        segment += 1
    return inf


def draw_next(flow: Flow, now: float) -> float:
    """Draw the mass up to the arrival after the one at `now`, and return when that is."""
    table = flow.plan.rate
    flow.mass = mass = flow.draws.exponential()
    flow.mass_at = now
    if len(table) == 1:
        rate = (table[0][1] + flow.extra) * flow.factor
        return now + mass / rate if rate > 0.0 else inf
    while flow.segment + 1 < len(table) and table[flow.segment + 1][0] <= now:
        flow.segment += 1
    return arrive_at(flow)


def spend(flow: Flow, now: float) -> None:
    """Use up the mass between the last reckoning and `now`, at the rates in force, before the factor changes."""
    table = flow.plan.rate
    while flow.segment + 1 < len(table) and table[flow.segment + 1][0] <= now:
        end = table[flow.segment + 1][0]
        flow.mass -= (table[flow.segment][1] + flow.extra) * flow.factor * (end - flow.mass_at)
        flow.mass_at = end
        flow.segment += 1
    if table:
        flow.mass -= (table[flow.segment][1] + flow.extra) * flow.factor * (now - flow.mass_at)
    flow.mass = max(0.0, flow.mass)
    flow.mass_at = now


def change_state(flow: Flow, now: float) -> None:
    """A bursty flow goes over to its other state."""
    burst = flow.plan.burst
    assert burst is not None, "only bursty flows have states"
    spend(flow, now)
    flow.bursting = not flow.bursting
    flow.extra = burst.burst_rate if flow.bursting else burst.calm_rate


def state_ends(flow: Flow, now: float) -> float:
    """When the state in which a bursty flow now is will end."""
    burst = flow.plan.burst
    assert burst is not None, "only bursty flows have states"
    return now + flow.burst_draws.exponential() * (burst.burst_s if flow.bursting else burst.calm_s)


def think(user: User, now: float) -> float:
    """Let a person of a closed flow think; returns when the next request is sent. A surge shortens the thinking."""
    flow = user.flow
    mass = flow.draws.exponential() * flow.plan.think_s
    user.left = mass
    user.due = now + mass / flow.factor if flow.factor > 0.0 else inf
    return user.due


def think_on(user: User, now: float, old_factor: float) -> float:
    """Carry what is left of a person's thinking over to the flow's present factor; returns when it ends."""
    if old_factor > 0.0:
        user.left = max(0.0, (user.due - now) * old_factor)
    factor = user.flow.factor
    user.due = now + user.left / factor if factor > 0.0 else inf
    return user.due
