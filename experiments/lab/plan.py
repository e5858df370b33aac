"""Which processes make up a lab, with what configuration files; nothing is started here."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from experiments.lab import database
from experiments.lab.envoy import gateway_config
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
    Layout,
)
from experiments.lab.programs import Programs, unprivileged
from experiments.lab.settings import Settings

DNS_TTL_S: Final = 30
"""Time to live of the public name's addresses; it can be changed on the running name server."""


@dataclass(frozen=True, slots=True)
class Process:
    """One supervised process."""

    name: str
    node: str
    """Address it lives on."""
    command: list[str]
    folder: Path
    """Its working directory; what it starts lives below it."""
    answers: str | None
    """URL that answers 200 once it works."""
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """All processes, in the order in which they are started."""

    layout: Layout
    settings: Settings
    programs: Programs
    data: Path

    def write(self) -> list[Process]:
        """Write every configuration file below `data` and say what to run."""
        return [
            self._etcd(),
            self._relay(),
            *(self._patroni(region) for region in database.regions()),
            *(self._gateway(region) for region in REGIONS),
            self._payments(),
            self._dns(),
            *self._services(),
        ]

    def _folder(self, name: str) -> Path:
        folder = self.data / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _python(self, name: str, module: str, node: str, config: dict[str, Any]) -> Process:
        folder = self._folder(name)
        file = folder / "config.json"
        file.write_text(json.dumps({"name": name, "host": node} | config, indent=2), encoding="utf-8")
        command = [sys.executable, "-m", f"experiments.lab.services.{module}", str(file)]
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
        health = {"relay": "/version", "dns": "/records"}.get(module, "/health")
        return Process(name, node, command, folder, f"http://{node}:{config['port']}{health}", {"PYTHONPATH": path})

    def _etcd(self) -> Process:
        folder = self._folder("etcd")
        command = database.etcd_command(self.layout, str(self.programs.etcd), str(folder))
        return Process("etcd", self.layout.etcd, command, folder, f"http://{self.layout.etcd}:{ETCD_PORT}/health")

    def _patroni(self, region: str) -> Process:
        name = f"patroni-{self.layout.zone(region)}"
        folder = self._folder(name)
        config = database.patroni_config(self.layout, self.settings, region, str(folder), str(self.programs.postgres))
        (folder / "schema.sql").write_text(database.SCHEMA, encoding="utf-8")
        file = folder / "patroni.yml"
        file.write_text(json.dumps(config, indent=2), encoding="utf-8")  # JSON is YAML
        node = self.layout.database(region)
        command = unprivileged([sys.executable, "-m", "patroni", str(file)])
        return Process(name, node, command, folder, f"http://{node}:{PATRONI_PORT}/health", {"LC_ALL": "C"})

    def _gateway(self, region: str) -> Process:
        name, node = f"gateway-{region}", self.layout.gateway(region)
        folder = self._folder(name)
        file = folder / "envoy.json"
        file.write_text(json.dumps(gateway_config(self.layout, self.settings, region), indent=2), encoding="utf-8")
        command = [str(self.programs.envoy), "--config-path", str(file), "--concurrency", "1", "--disable-hot-restart"]
        return Process(name, node, [*command, "--log-level", "warning"], folder, f"http://{node}:{GATEWAY_ADMIN_PORT}/ready")

    def _payments(self) -> Process:
        return self._python("payments", "payments", self.layout.payments, {"port": PAYMENTS_PORT})

    def _dns(self) -> Process:
        records = {PUBLIC_NAME: public_record(self.layout)}
        return self._python("dns", "dns", self.layout.dns, {"port": DNS_CONTROL_PORT, "dns_port": DNS_PORT, "records": records})

    def _relay(self) -> Process:
        links = [
            {"name": link.name, "listen": "{}:{}".format(*link.listen), "upstream": "{}:{}".format(*link.target)}
            for link in self.layout.links()
        ]
        return self._python("relay", "relay", self.layout.relay, {"port": RELAY_PORT, "links": links})

    def _services(self) -> list[Process]:
        found = []
        for one in self.layout.all_instances():
            gateway = self.layout.gateway(one.region)
            config = {
                "port": one.port,
                "region": one.region,
                "primary": database.dsn(gateway),
                "nearest": database.dsn(self.layout.database(one.region)),
                "payments": f"http://{self.layout.payments_from(one.region)}:{PAYMENTS_PORT}",
                "recommendations": f"http://{gateway}:{GATEWAY_PORT}/recommendations",
            }
            found.append(self._python(one.name, one.service, one.host, config))
        return found


def public_record(layout: Layout) -> dict[str, Any]:
    """What the name server answers for the public name until it is told otherwise."""
    return {"addresses": {region: layout.entry(region) for region in REGIONS}, "ttl": DNS_TTL_S}
