"""Quantities that may not be nothing, and amounts in a foreign currency, wherever in the scenario they stand."""

from __future__ import annotations

from pydantic import BaseModel

from gameday.scenario.calling import OutlierEjection
from gameday.scenario.checks.book import Book, a, models_in
from gameday.scenario.communication import Audience, Pace, RegulatoryClock
from gameday.scenario.guards import Cache, CoDel, Limiter
from gameday.scenario.load import Bursty, Diurnal, Indicator, Replay, RequestClass, Spike
from gameday.scenario.model import Scenario
from gameday.scenario.monitoring import BurnRateRule, CustomerReports, Grouping, Monitoring, Probe, Silence
from gameday.scenario.policies import Failover, Promotion, Release
from gameday.scenario.schedule import Background, Maintenance, ScheduledFault
from gameday.scenario.spread import LogNormal
from gameday.scenario.system import Autoscaling, Breaker, Database, Dependency, HealthCheck, Provider, Service
from gameday.scenario.times import Distribution
from gameday.scenario.tree import Path
from gameday.units import currency_of

NOT_ZERO: dict[type[BaseModel], tuple[str, ...]] = {
    Scenario: ("duration",),
    Service: ("timeout",),
    Database: ("timeout",),
    Provider: ("timeout",),
    Dependency: ("timeout", "hedge"),
    Breaker: ("open", "failure_ratio"),
    Cache: ("ttl",),
    CoDel: ("interval",),
    Limiter: ("window",),
    HealthCheck: ("interval",),
    OutlierEjection: ("base", "interval"),
    Autoscaling: ("interval", "target"),
    RequestClass: ("deadline", "timeout"),
    Indicator: ("window",),
    Diurnal: ("period",),
    Bursty: ("calm_for", "burst_for"),
    Replay: ("interval",),
    Spike: ("lasts",),
    Probe: ("interval", "timeout"),
    BurnRateRule: ("long", "short"),
    Monitoring: ("scrape",),
    Grouping: ("interval", "repeat"),
    Silence: ("lasts",),
    CustomerReports: ("window",),
    Failover: ("probe_interval", "probe_timeout"),
    Promotion: ("lease", "heartbeat"),
    Release: ("window",),
    ScheduledFault: ("lasts",),
    Maintenance: ("lasts",),
    Background: ("mtbf",),
    Audience: ("first_within", "every"),
    Pace: ("first_within", "every"),
    RegulatoryClock: ("within",),
    LogNormal: ("median",),
}
"""Fields in which 0 would mean that something never or always happens."""


def check_quantities(book: Book) -> None:
    """Zeros and currencies."""
    currency = book.system.money.currency
    for path, model in models_in(book.scenario):
        for name in NOT_ZERO.get(type(model), ()):
            if getattr(model, name) == 0:
                _zero(book, (*path, type(model).model_fields[name].alias or name))
        if isinstance(model, Distribution) and model.mean == 0 and model.family != "constant":
            book.wrong((*path, "mean"), f"the mean of {a(model.family)} time must be greater than 0", value="0")
        for name in type(model).model_fields:
            value = getattr(model, name)
            amounts = value.items() if isinstance(value, dict) else [(None, value)]
            for key, amount in amounts:
                written = currency_of(amount) if isinstance(amount, float) else None
                if written not in {None, currency}:
                    place = (*path, name) if key is None else (*path, name, key)
                    book.wrong(place, f"must be in {currency}, the currency of system.money, or without a currency")


def _zero(book: Book, path: Path) -> None:
    """A fault on one line has no place of its own for its length."""
    message = "must be greater than 0"
    if book.document.node(path) is None:
        book.wrong(path, message, value="0")
    else:
        book.wrong(path, message)
