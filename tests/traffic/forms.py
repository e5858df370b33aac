"""Closed forms of queueing theory that the engine is held against; each is itself held against an independent library.

Times in seconds, rates per second; `offered` is the load in servers (rate times mean service time).
"""

from __future__ import annotations

from math import exp, factorial


def erlang_b(servers: int, offered: float) -> float:
    """Share of arrivals lost without a queue (Erlang 1917)."""
    return offered**servers / factorial(servers) / sum(offered**n / factorial(n) for n in range(servers + 1))


def erlang_c(servers: int, offered: float) -> float:
    """Share of arrivals that wait in an unbounded queue (Erlang 1917)."""
    blocked = erlang_b(servers, offered)
    return blocked / (1.0 - offered / servers * (1.0 - blocked))


def m_m_c_wait_s(servers: int, rate: float, mean_s: float) -> float:
    """Mean wait in an unbounded queue."""
    return erlang_c(servers, rate * mean_s) * mean_s / (servers - rate * mean_s)


def m_m_c_k(servers: int, capacity: int, rate: float, mean_s: float) -> tuple[float, float]:
    """Share lost and mean wait of those let in, with `capacity` places, those in service included."""
    offered = rate * mean_s
    weights = [
        offered**n / factorial(n) if n <= servers else offered**n / factorial(servers) / float(servers) ** (n - servers)
        for n in range(capacity + 1)
    ]
    loss = weights[capacity] / sum(weights)
    waiting = sum((n - servers) * weight for n, weight in enumerate(weights) if n > servers) / sum(weights)
    return loss, waiting / (rate * (1.0 - loss))


def m_g_1_wait_s(rate: float, mean_s: float, cv: float) -> float:
    """Mean wait at one server (Pollaczek 1930, Khinchine 1932)."""
    return rate * mean_s**2 * (1.0 + cv**2) / (2.0 * (1.0 - rate * mean_s))


def m_m_c_d_gone(servers: int, rate: float, mean_s: float, patience_s: float) -> float:
    """Share of arrivals that leave the queue unserved when all have the same patience (Barrer 1957).

    The offered wait V has density f(x) = rate p e^-(c mu - rate)x up to the patience, where p is the probability of c - 1 busy servers;
    beyond it nobody adds work, so f decays with c mu. Gone are those with V > patience.
    """
    offered, drain = rate * mean_s, servers / mean_s
    slack = drain - rate
    below = sum(offered**n / factorial(n) for n in range(servers))
    last = offered ** (servers - 1) / factorial(servers - 1)
    # All weights times e^(slack patience) where it is below 1, so that nothing grows without bound under overload.
    scale = exp(min(0.0, slack * patience_s))
    inside = rate * last * ((scale - exp(min(0.0, -slack * patience_s))) / slack if slack else patience_s)
    beyond = rate * last * exp(min(0.0, -slack * patience_s)) / drain
    return beyond / (below * scale + inside + beyond)


def repairman_idle(machines: int, ratio: float) -> float:
    """Probability that one repairman has nothing to do; `ratio` = mean repair time / mean time to the next failure."""
    weights = [factorial(machines) / factorial(machines - n) * ratio**n for n in range(machines + 1)]
    return weights[0] / sum(weights)
