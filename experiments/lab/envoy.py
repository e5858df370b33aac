"""What the gateways are told: one Envoy per region, for users' requests and for the database's entry.

The rule that surprises: the other region's instances are a second priority, used only when none of the region's own is healthy
(Envoy would send a share of the traffic over as soon as one of two is down; `overprovisioning_factor` 200 keeps it at home).
"""

from __future__ import annotations

from typing import Any, Final

from experiments.lab.layout import (
    GATEWAY_ADMIN_PORT,
    GATEWAY_PORT,
    PATRONI_PORT,
    POSTGRES_PORT,
    REGIONS,
    SERVICES,
    Instance,
    Layout,
)
from experiments.lab.settings import Settings

TIMEOUTS_S: Final = {"checkout": 3.0, "catalog": 2.0, "recommendations": 0.25}
"""How long the gateway waits for a service."""
CLASSES: Final = {"checkout": "critical", "catalog": "normal", "recommendations": "best-effort"}
"""Class of a request that does not say its own in the header `x-class`."""
BEST_EFFORT_PER_S: Final = 20
"""Requests of class best-effort a gateway lets through per service."""
ANY_PER_S: Final = 400
"""Requests a gateway lets through per service: four times what two instances of any service were measured to do, a last line only."""
CONNECTION_LIMITS: Final = {"DEFAULT": 48, "HIGH": 96}
"""Envoy's circuit breakers: requests in flight per service; what is above is refused at once."""
HEALTH_INTERVAL_S: Final = 2.0
DATABASE_HEALTH_INTERVAL_S: Final = 1.0
HEALTH_TIMEOUT_S: Final = 1.0

_TYPE = "type.googleapis.com/envoy.extensions."


def gateway_config(layout: Layout, settings: Settings, region: str) -> dict[str, Any]:
    """The bootstrap file of the region's Envoy."""
    host = layout.gateway(region)
    clusters = [service_cluster(layout, settings, region, service) for service in SERVICES]
    return {
        "node": {"id": f"gateway-{region}", "cluster": "gateway", "locality": {"region": region, "zone": layout.zone(region)}},
        "admin": {"address": _address(host, GATEWAY_ADMIN_PORT)},
        "layered_runtime": {"layers": [{"name": "admin", "admin_layer": {}}]},
        "static_resources": {
            "listeners": [_users(host), _database(host)],
            "clusters": [*clusters, _shadow(layout, settings, region), _primary(layout, settings, region)],
        },
    }


# -- listeners ----------------------------------------------------------------------------------------------------------


def _users(host: str) -> dict[str, Any]:
    manager = {
        "@type": f"{_TYPE}filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "users",
        "codec_type": "AUTO",
        "use_remote_address": True,
        "request_timeout": "10s",
        "route_config": {
            "name": "shop",
            "virtual_hosts": [
                {
                    "name": "shop",
                    "domains": ["*"],
                    "routes": [
                        {
                            "match": {"path": "/health"},
                            "direct_response": {"status": 200, "body": {"inline_string": "gateway\n"}},
                        },
                        *(route for service in SERVICES for route in _routes(service)),
                    ],
                }
            ],
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.local_ratelimit",
                "typed_config": {
                    "@type": f"{_TYPE}filters.http.local_ratelimit.v3.LocalRateLimit",
                    "stat_prefix": "unlimited",
                },
            },
            {"name": "envoy.filters.http.fault", "typed_config": {"@type": f"{_TYPE}filters.http.fault.v3.HTTPFault"}},
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{_TYPE}filters.http.router.v3.Router"}},
        ],
        "local_reply_config": {
            "mappers": [
                {
                    "filter": {"response_flag_filter": {"flags": ["UO"]}},
                    "headers_to_add": [_header("retry-after", "1")],
                }
            ]
        },
    }
    return {
        "name": "users",
        "address": _address(host, GATEWAY_PORT),
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]},
        ],
    }


def _routes(service: str) -> list[dict[str, Any]]:
    """Best effort first, because it has a smaller bucket; then everything else of the service."""
    action: dict[str, Any] = {
        "cluster": service,
        "timeout": f"{TIMEOUTS_S[service]}s",
        "priority": "HIGH" if CLASSES[service] == "critical" else "DEFAULT",
    }
    if service == "catalog":
        mirror = {"default_value": {"numerator": 0, "denominator": "HUNDRED"}, "runtime_key": "mirror.catalog"}
        action["request_mirror_policies"] = [{"cluster": "catalog-shadow", "runtime_fraction": mirror}]
    match: dict[str, Any] = {"path_separated_prefix": f"/{service}"}
    best_effort = match | {"headers": [{"name": "x-class", "string_match": {"exact": "best-effort"}}]}
    return [
        {
            "name": f"{service}-best-effort",
            "match": best_effort,
            "route": action | {"priority": "DEFAULT"},
            "typed_per_filter_config": _filters(service, BEST_EFFORT_PER_S, f"{service}_best_effort"),
        },
        {
            "name": service,
            "match": match,
            "route": action,
            "request_headers_to_add": [_header("x-class", CLASSES[service], "ADD_IF_ABSENT")],
            "typed_per_filter_config": _filters(service, ANY_PER_S, service),
        },
    ]


def _filters(service: str, per_second: int, name: str) -> dict[str, Any]:
    """Rate limit and fault injection of one route; faults are off until the runtime keys `fault.<service>.*` say otherwise."""
    whole = {"numerator": 100, "denominator": "HUNDRED"}
    keys = fault_keys(service)
    return {
        "envoy.filters.http.local_ratelimit": {
            "@type": f"{_TYPE}filters.http.local_ratelimit.v3.LocalRateLimit",
            "stat_prefix": name,
            "token_bucket": {"max_tokens": per_second, "tokens_per_fill": per_second, "fill_interval": "1s"},
            "filter_enabled": {"default_value": whole, "runtime_key": f"limit.{service}.enabled"},
            "filter_enforced": {"default_value": whole, "runtime_key": f"limit.{service}.enforced"},
            "response_headers_to_add": [_header("retry-after", "1")],
        },
        "envoy.filters.http.fault": {
            "@type": f"{_TYPE}filters.http.fault.v3.HTTPFault",
            "delay": {"fixed_delay": "1s", "percentage": {"numerator": 0, "denominator": "HUNDRED"}},
            "abort": {"http_status": 503, "percentage": {"numerator": 0, "denominator": "HUNDRED"}},
            "delay_percent_runtime": keys["delay"],
            "delay_duration_runtime": keys["delay_ms"],
            "abort_percent_runtime": keys["abort"],
            "abort_http_status_runtime": f"fault.{service}.abort_status",
        },
    }


def fault_keys(service: str) -> dict[str, str]:
    """Runtime keys by which the gateway's requests to a service are delayed and aborted: percentages and milliseconds."""
    return {
        "abort": f"fault.{service}.abort_percent",
        "delay": f"fault.{service}.delay_percent",
        "delay_ms": f"fault.{service}.delay_ms",
    }


def _database(host: str) -> dict[str, Any]:
    return {
        "name": "orders",
        "address": _address(host, POSTGRES_PORT),
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.tcp_proxy",
                        "typed_config": {
                            "@type": f"{_TYPE}filters.network.tcp_proxy.v3.TcpProxy",
                            "stat_prefix": "orders",
                            "cluster": "orders-primary",
                            "max_connect_attempts": 1,
                        },
                    }
                ]
            }
        ],
    }


# -- clusters -----------------------------------------------------------------------------------------------------------


def service_cluster(layout: Layout, settings: Settings, region: str, service: str) -> dict[str, Any]:
    """A service as one region sees it: its own instances first, the other region's behind the link."""
    own = layout.instances(service, region)
    others = layout.instances(service, layout.other(region))
    cluster = _cluster(service, [_group(layout, own, region, 0), _group(layout, others, region, 1)])
    cluster["load_assignment"]["policy"] = {"overprovisioning_factor": 200}
    cluster["health_checks"] = [_health("/health", HEALTH_INTERVAL_S, settings)]
    cluster["circuit_breakers"] = {
        "thresholds": [
            {"priority": priority, "max_connections": most, "max_pending_requests": most, "max_requests": most, "max_retries": 1}
            for priority, most in CONNECTION_LIMITS.items()
        ]
    }
    # What a service refuses in time is an answer, not an outlier: only connections that fail or are cut count.
    cluster["outlier_detection"] = {
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 5,
        "enforcing_consecutive_5xx": 0,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
        "enforcing_consecutive_gateway_failure": 0,
        "interval": "2s",
        "base_ejection_time": "10s",
        "max_ejection_percent": 50,
    }
    return cluster


def _shadow(layout: Layout, settings: Settings, region: str) -> dict[str, Any]:
    """Where mirrored reads go: the other region's catalog."""
    cluster = _cluster("catalog-shadow", [_group(layout, layout.instances("catalog", layout.other(region)), region, 0)])
    cluster["health_checks"] = [_health("/health", HEALTH_INTERVAL_S, settings)]
    return cluster


def _primary(layout: Layout, settings: Settings, region: str) -> dict[str, Any]:
    """Whichever node answers 200 to Patroni's `/primary`; connections to one that no longer does are cut."""
    nodes = [layout.database_from(node, region) for node in REGIONS]
    endpoints = [
        {"endpoint": {"address": _address(node, POSTGRES_PORT), "health_check_config": {"port_value": PATRONI_PORT}}}
        for node in nodes
    ]
    cluster = _cluster("orders-primary", [{"lb_endpoints": endpoints}])
    cluster["close_connections_on_host_health_failure"] = True
    cluster["health_checks"] = [_health("/primary", DATABASE_HEALTH_INTERVAL_S, settings)]
    return cluster


def _cluster(name: str, groups: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "load_assignment": {"cluster_name": name, "endpoints": groups},
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "upstream_connection_options": {"tcp_keepalive": {"keepalive_probes": 3, "keepalive_time": 5, "keepalive_interval": 1}},
    }


def _group(layout: Layout, instances: list[Instance], region: str, priority: int) -> dict[str, Any]:
    return {
        "priority": priority,
        "lb_endpoints": [{"endpoint": {"address": _address(layout.instance_from(one, region), one.port)}} for one in instances],
    }


def _health(path: str, interval_s: float, settings: Settings) -> dict[str, Any]:
    return {
        "timeout": f"{HEALTH_TIMEOUT_S}s",
        "interval": f"{interval_s}s",
        "no_traffic_interval": f"{settings.no_traffic_interval_s}s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "http_health_check": {"path": path},
    }


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def _header(key: str, value: str, action: str = "OVERWRITE_IF_EXISTS_OR_ADD") -> dict[str, Any]:
    return {"header": {"key": key, "value": value}, "append_action": action}
