"""The lab's target file: where everything is and how it can be broken, as `gameday live --target` reads it."""

from __future__ import annotations

from typing import Any, Final

import yaml

from experiments.lab.database import SCOPE, dsn, node_name
from experiments.lab.envoy import fault_keys
from experiments.lab.folder import LabFolder
from experiments.lab.layout import (
    DNS_CONTROL_PORT,
    DNS_PORT,
    ETCD_PORT,
    GATEWAY_ADMIN_PORT,
    GATEWAY_PORT,
    PATRONI_PORT,
    PAYMENTS_PORT,
    PUBLIC_NAME,
    REGIONS,
    RELAY_PORT,
    SERVICES,
    SUPERVISOR_PORT,
    Layout,
)
from gameday.atomic_files import write_atomically

FEATURES: Final = {
    "catalog": {"recommendations": {"path": "/control", "off": {"recommendations": False}, "on": {"recommendations": True}}}
}
"""What services can be told to do without."""


def write_target(folder: LabFolder, layout: Layout, *, prometheus: str | None = None, alertmanager: str | None = None) -> None:
    """Write target.yaml, whole."""
    content = target(folder, layout) | {"prometheus": prometheus, "alertmanager": alertmanager}
    head = "# Written by gameday lab up; where the lab is and how it can be broken.\n"
    write_atomically(folder.target, (head + yaml.safe_dump(content, sort_keys=False, width=140)).encode())


def target(folder: LabFolder, layout: Layout) -> dict[str, Any]:
    """The content of the target file."""
    relay = f"http://{layout.relay}:{RELAY_PORT}"
    links: dict[str, list[str]] = {}
    for link in layout.links():
        links.setdefault(link.link, []).append(link.name)
    return {
        "target": 1,
        "name": folder.name,
        "allow": ["127.0.0.0/8"],
        "public": {"name": PUBLIC_NAME, "resolver": f"{layout.dns}:{DNS_PORT}"},
        "entries": {region: f"http://{layout.entry(region)}:{GATEWAY_PORT}" for region in REGIONS},
        "routes": {
            "browse": {"method": "GET", "path": "/catalog/{item}"},
            "checkout": {"method": "POST", "path": "/checkout", "body": {"id": "{id}"}},
        },
        "services": {
            service: {
                "instances": _instances(layout, service),
                "gauges": {"path": "/metrics", "busy_seconds": "shop_busy_seconds_total", "slots": "shop_slots"},
                "slots": {"path": "/control", "field": "slots"},
                "features": FEATURES.get(service, {}),
            }
            for service in SERVICES
        },
        "gateways": {
            region: {
                "process": f"gateway-{region}",
                "admin": f"http://{layout.gateway(region)}:{GATEWAY_ADMIN_PORT}",
                "runtime": {service: fault_keys(service) for service in SERVICES},
            }
            for region in REGIONS
        },
        "databases": {
            SCOPE: {
                "scope": SCOPE,
                "nodes": [_node(folder, layout, region) for region in REGIONS],
                "copy_reads": {"service": "catalog", "path": "/catalog/1", "field": "source", "copy_word": "nearest"},
                "gateway_dsn": {region: dsn(layout.gateway(region)) for region in REGIONS},
                "replication": {
                    "toxiproxy": {
                        "api": relay,
                        "proxies": [name for names in links.values() for name in names if "postgres" in name],
                    }
                },
            }
        },
        "consensus": {"etcd": {"url": f"http://{layout.etcd}:{ETCD_PORT}", "process": "etcd"}},
        "providers": {
            "payments": {
                "url": f"http://{layout.payments}:{PAYMENTS_PORT}",
                "process": "payments",
                "control": f"http://{layout.payments}:{PAYMENTS_PORT}/control",
                "toxiproxy": {"api": relay, "proxies": [f"payments@{region}" for region in REGIONS]},
            }
        },
        "links": {name: {"toxiproxy": {"api": relay, "proxies": proxies}} for name, proxies in links.items()},
        "dns": {"control": f"http://{layout.dns}:{DNS_CONTROL_PORT}"},
        "supervisor": f"http://{layout.supervisor}:{SUPERVISOR_PORT}",
    }


def _instances(layout: Layout, service: str) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "zone": layout.zone(region),
            "region": region,
            "url": f"http://{one.host}:{one.port}",
            "process": one.name,
        }
        for region in REGIONS
        for one in layout.instances(service, region)
    ]


def _node(folder: LabFolder, layout: Layout, region: str) -> dict[str, Any]:
    process = f"patroni-{layout.zone(region)}"
    return {
        "name": node_name(layout, region),
        "zone": layout.zone(region),
        "region": region,
        "dsn": dsn(layout.database(region)),
        "patroni": f"http://{layout.database(region)}:{PATRONI_PORT}",
        "process": process,
        "postgres": {"data": str(folder.data / process / "postgres")},
    }
