"""Prometheus and Alertmanager of the lab, where their programs are installed; rules and routes are handed in, scraping is the lab's.

The lab's own metrics become the indicators of a scenario (`docs/how-to/import-alerting.md`) by labels and recording rules. The rule
that surprises: nothing is checked here. `promtool` and `amtool` know the languages, so what they say is what the caller is told.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from experiments.lab.database import SCOPE
from experiments.lab.layout import (
    ALERTMANAGER_PORT,
    GATEWAY_ADMIN_PORT,
    PATRONI_PORT,
    PAYMENTS_PORT,
    PROMETHEUS_PORT,
    REGIONS,
    Layout,
)
from experiments.lab.plan import Process
from gameday.errors import GamedayError

NAMES: Final = {
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "alertmanager": ("prometheus-alertmanager", "alertmanager"),
    "amtool": ("amtool",),
}
"""Programs and what distributions call them."""
CHECKED_WITHIN_S: Final = 20.0
INDICATORS: Final = {
    "gameday_utilisation_ratio": "shop_busy_slots / shop_slots",
    "gameday_queue_length": "shop_waiting",
    "gameday_component_requests_total": "sum without (status) (shop_answers_total)",
    "gameday_component_requests_failed_total": (
        'sum without (status) (shop_answers_total{status=~"5.."}) or sum without (status) (shop_answers_total) * 0'
    ),
}
"""Recording rules: what a scenario's rules ask of a service, out of what the lab's services measure."""


@dataclass(frozen=True, slots=True)
class Monitoring:
    """The two processes and where they answer."""

    processes: list[Process]
    prometheus: str
    alertmanager: str


def missing_programs() -> list[str]:
    """Programs that are needed and not on the PATH."""
    return [name for name, names in NAMES.items() if not any(map(shutil.which, names))]


def plan_monitoring(
    layout: Layout, data: Path, rules: str, alertmanager: str, scrape_s: float, more: Sequence[dict[str, Any]] = ()
) -> Monitoring:
    """Write and check the configuration; `more` are further scrape configurations.

    GamedayError when a program is missing or a file is refused, in the checker's words.
    """
    found = {name: next(filter(None, map(shutil.which, names)), None) for name, names in NAMES.items()}
    if missing := missing_programs():
        raise GamedayError(f"monitoring needs {', '.join(missing)} on the PATH (Debian: prometheus, prometheus-alertmanager)")
    programs = {name: place for name, place in found.items() if place is not None}
    folders = {name: data / name for name in ("prometheus", "alertmanager")}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    files = {
        folders["prometheus"] / "rules.yml": rules,
        folders["alertmanager"] / "alertmanager.yml": alertmanager,
        folders["prometheus"] / "indicators.yml": json.dumps(_indicators(scrape_s)),  # JSON is YAML
        folders["prometheus"] / "prometheus.yml": json.dumps(prometheus_config(layout, scrape_s, more), indent=2),
    }
    for file, text in files.items():
        file.touch(mode=0o600)  # addresses of receivers hold tokens
        file.write_text(text, encoding="utf-8")
    _check([programs["promtool"], "check", "config", str(folders["prometheus"] / "prometheus.yml")])
    _check([programs["amtool"], "check-config", str(folders["alertmanager"] / "alertmanager.yml")])
    node = layout.monitoring
    prometheus, alerts = f"http://{node}:{PROMETHEUS_PORT}", f"http://{node}:{ALERTMANAGER_PORT}"
    first = [
        programs["prometheus"],
        f"--config.file={folders['prometheus']}/prometheus.yml",
        f"--storage.tsdb.path={folders['prometheus']}/series",
        f"--web.listen-address={node}:{PROMETHEUS_PORT}",
        "--log.level=warn",
    ]
    second = [
        programs["alertmanager"],
        f"--config.file={folders['alertmanager']}/alertmanager.yml",
        f"--storage.path={folders['alertmanager']}/state",
        f"--web.listen-address={node}:{ALERTMANAGER_PORT}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    return Monitoring(
        [
            Process("prometheus", node, first, folders["prometheus"], f"{prometheus}/-/ready"),
            Process("alertmanager", node, second, folders["alertmanager"], f"{alerts}/-/ready"),
        ],
        prometheus,
        alerts,
    )


def _indicators(scrape_s: float) -> dict[str, Any]:
    rules = [{"record": name, "expr": expression} for name, expression in INDICATORS.items()]
    return {"groups": [{"name": "indicators", "interval": f"{scrape_s:g}s", "rules": rules}]}


def prometheus_config(layout: Layout, scrape_s: float, more: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Scrape gateways, services, provider and Patroni; every series says its region, its process and whose it is in a scenario."""
    jobs: dict[str, list[dict[str, Any]]] = {}

    def add(job: str, host: str, port: int, region: str, process: str, **whose: str) -> None:
        labels = {"region": region, "process": process, **whose}
        jobs.setdefault(job, []).append({"targets": [f"{host}:{port}"], "labels": labels})

    for region in REGIONS:
        zone = layout.zone(region)
        add("gateway", layout.gateway(region), GATEWAY_ADMIN_PORT, region, f"gateway-{region}", service="gateway")
        add("database", layout.database(region), PATRONI_PORT, region, f"patroni-{zone}", database=SCOPE, zone=zone)
    for one in layout.all_instances():
        add(one.service, one.host, one.port, one.region, one.name, service=one.service)
    add("payments", layout.payments, PAYMENTS_PORT, "outside", "payments")
    every = f"{scrape_s:g}s"
    return {
        "global": {"scrape_interval": every, "evaluation_interval": every, "scrape_timeout": every},
        "rule_files": ["indicators.yml", "rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"{layout.monitoring}:{ALERTMANAGER_PORT}"]}]}]},
        "scrape_configs": [
            {
                "job_name": job,
                "metrics_path": "/stats/prometheus" if job == "gateway" else "/metrics",
                "static_configs": targets,
            }
            for job, targets in jobs.items()
        ]
        + list(more),
    }


def _check(command: list[str]) -> None:
    try:
        ended = subprocess.run(  # noqa: S603 - the checkers of Prometheus, no shell
            command, capture_output=True, text=True, timeout=CHECKED_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GamedayError(f"{command[0]} does not run here: {error}") from error
    if ended.returncode:
        said = " ".join((ended.stderr or ended.stdout).split())
        raise GamedayError(f"{Path(command[0]).name} refuses {Path(command[-1]).name}: {said[:600]}")
