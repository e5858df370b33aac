"""Times drawn from the scenario's distributions."""

from __future__ import annotations

from math import exp, log, sqrt

from gameday.scenario.spread import LogNormal
from gameday.scenario.times import Distribution
from sim.streams import Draws


def sample(distribution: Distribution | LogNormal, draws: Draws) -> float:
    """One time in seconds. Lognormals by median and sigma, or by mean and coefficient of variation (sigma^2 = ln(1 + cv^2))."""
    if isinstance(distribution, LogNormal):
        return distribution.median * exp(distribution.sigma * draws.normal())
    if distribution.family == "constant":
        return distribution.mean
    if distribution.family == "exponential":
        return distribution.mean * draws.exponential()
    if distribution.family == "lognormal":
        variance = log(1.0 + distribution.cv**2)
        return distribution.mean * exp(sqrt(variance) * draws.normal() - variance / 2.0)
    return draws.gamma(1.0 / distribution.cv**2) * distribution.mean * distribution.cv**2
