"""The scenario's system file of the lab, with the numbers that were measured on it."""

from __future__ import annotations

from typing import Final

from experiments.lab.calibrate import REQUESTS, Calibration, Measured
from experiments.lab.envoy import HEALTH_INTERVAL_S, TIMEOUTS_S
from experiments.lab.services.catalog import DATABASE_WITHIN_S as READ_WITHIN_S
from experiments.lab.services.catalog import RECOMMENDATIONS_WITHIN_S, STALENESS_LIMIT_S
from experiments.lab.services.checkout import BREAKER_FAILURES, BREAKER_OPEN_S, DATABASE_WITHIN_S, PAYMENT_WITHIN_S

_TEMPLATE: Final = """\
# yaml-language-server: $schema=../../gameday.schema.json
# The shop that `gameday lab up` starts, and nothing else. Times, capacity and start times are measured: written by
# `gameday lab calibrate` ({requests} requests per time, {processors} processors, load {load} before;
# {versions}). Slots, queues, timeouts, breaker and health
# checks are the lab's settings. An instance asked for more than it can do answered {capacity}.
system:
  regions:
    eu-1: {{zones: [eu-1a]}}
    eu-2: {{zones: [eu-2a]}}
    witness: {{zones: [witness-1]}}

  network: {{cross_region: {link}}}

  traffic:
    origins:
      users: {{share: 100%, region: eu-1}}
    dns: {{ttl: 30s}}

  services:
    gateway:
      tier: 0
      owner: platform
      runbook: https://runbooks.example/gateway
      instances: {{eu-1: 1, eu-2: 1}}
      slots: 96
      service_time: {gateway}
      queue: 96
      timeout: 5s
      boot: {gateway_boot}
      calls:
        - {{to: checkout, for: [checkout], timeout: {checkout_timeout}}}
        - {{to: catalog, for: [browse], timeout: {catalog_timeout}}}

    checkout:
      tier: 0
      owner: shop
      runbook: https://runbooks.example/checkout
      instances: {{eu-1: 2, eu-2: 2}}
      slots: {checkout_slots}
      service_time: {checkout}
      queue: {checkout_queue}
      queue_order: priority
      timeout: {checkout_timeout}
      boot: {checkout_boot}
      health_check: {{interval: {health}, unhealthy: 2, healthy: 1}}
      calls:
        - {{to: database/orders, operation: write, timeout: {write_timeout}}}
        - {{to: provider/payments, timeout: {payment_timeout}, breaker: {{failures: {failures}, open: {open}}}}}
        - {{to: database/orders, operation: write, timeout: {write_timeout}}}

    catalog:
      tier: 1
      owner: shop
      runbook: https://runbooks.example/catalog
      instances: {{eu-1: 2, eu-2: 2}}
      slots: {catalog_slots}
      service_time: {catalog}
      queue: {catalog_queue}
      queue_order: priority
      timeout: {catalog_timeout}
      boot: {catalog_boot}
      health_check: {{interval: {health}, unhealthy: 2, healthy: 1}}
      calls:
        - {{to: database/orders, operation: read, read_from: nearest, timeout: {read_timeout}, fallback: database/orders}}
        - {{to: recommendations, required: false, timeout: {recommendations_timeout}}}

    recommendations:
      tier: 3
      owner: shop
      instances: {{eu-1: 2, eu-2: 2}}
      slots: {recommendations_slots}
      service_time: {recommendations}
      queue: {recommendations_queue}
      queue_order: priority
      timeout: {recommendations_timeout}
      boot: {recommendations_boot}
      health_check: {{interval: {health}, unhealthy: 2, healthy: 1}}

  databases:
    orders:
      owner: platform
      runbook: https://runbooks.example/orders-database
      primary: eu-1a
      replicas: [eu-2a]
      replication: asynchronous
      lag: {lag}
      consistency: bounded
      staleness_limit: {staleness}
      refuse_stale_reads: true
      age_by: data
      recovery_point: 1s
      slots: 20  # assumption: PostgreSQL has no such limit below its 80 connections
      service_time: {write}  # a write; a read took {read}

  providers:
    payments: {{service_time: {payments}, timeout: {payment_timeout}, slots: 200, rtt: {link}}}

  money:
    currency: EUR
    lost_request: {{checkout: 30, browse: 0.05}}  # assumption
"""


def system_file(found: Calibration) -> str:
    """The text of the file; it is read back by `gameday validate` like any other."""
    capacity = ", ".join(f"{rate:.0f}/s ({service})" for service, rate in found.capacity.items())
    per_service = {
        f"{service}_{what}": value
        for service in found.slots
        for what, value in (
            ("slots", found.slots[service]),
            ("queue", found.queue[service]),
            ("boot", _duration(found.boot_s[service])),
        )
    }
    per_service["gateway_boot"] = _duration(found.boot_s["gateway"])
    versions = ", ".join(f"{name} {version.partition(' ')[0]}" for name, version in found.machine["versions"].items())
    return _TEMPLATE.format(
        requests=REQUESTS,
        processors=found.machine["processors"],
        load=found.machine["load"],
        versions=versions,
        capacity=capacity,
        link=_duration(found.link_s),
        gateway=_time(found.gateway),
        checkout=_time(found.checkout),
        catalog=_time(found.catalog),
        recommendations=_time(found.recommendations),
        payments=_time(found.payments),
        write=_time(found.write),
        read=_time(found.read),
        lag=_time(found.lag),
        health=_duration(HEALTH_INTERVAL_S),
        checkout_timeout=_duration(TIMEOUTS_S["checkout"]),
        catalog_timeout=_duration(TIMEOUTS_S["catalog"]),
        recommendations_timeout=_duration(RECOMMENDATIONS_WITHIN_S),
        write_timeout=_duration(DATABASE_WITHIN_S),
        read_timeout=_duration(READ_WITHIN_S),
        payment_timeout=_duration(PAYMENT_WITHIN_S),
        failures=BREAKER_FAILURES,
        open=_duration(BREAKER_OPEN_S),
        staleness=_duration(STALENESS_LIMIT_S),
        **per_service,
    )


def _time(found: Measured) -> str:
    return f"lognormal {_duration(found.mean_s)} cv {found.cv:.2f}"


def _duration(seconds: float) -> str:
    """Two to four digits, in the unit people would use."""
    if seconds >= 1:
        return f"{seconds:.1f}s".replace(".0s", "s")
    return f"{max(0.01, seconds * 1000):.2f}ms".replace(".00ms", "ms")
