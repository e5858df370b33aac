"""Measure a running lab: service times, capacity, the time across links, replication lag, start times.

The rule that surprises: what a service does itself is never measured alone. Its answers are timed as a whole, the calls in them are timed
as a whole too, and the difference is its own work (variances subtract as means do, because the parts are independent).
"""

from __future__ import annotations

import http.client
import json
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg

from experiments.lab.control import ask
from experiments.lab.database import dsn
from experiments.lab.folder import LabFolder
from experiments.lab.layout import GATEWAY_PORT, PATRONI_PORT, PAYMENTS_PORT, REGIONS, SERVICES, Layout
from gameday.errors import GamedayError

REQUESTS: Final = 150
"""Requests one after the other per quantity: the mean of a time with cv 0.5 is then known to 4 % (one standard error)."""
FLOOD_S: Final = 4.0
"""How long each service is asked for more than it can do."""
WAIT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Measured:
    """Mean (seconds) and coefficient of variation of a time."""

    mean_s: float
    cv: float

    def without(self, *parts: Measured) -> Measured:
        """What is left when independent parts are taken out; at least 0.1 ms, because a clock is not better than that here."""
        mean = max(1e-4, self.mean_s - math.fsum(part.mean_s for part in parts))
        variance = (self.mean_s * self.cv) ** 2 - math.fsum((part.mean_s * part.cv) ** 2 for part in parts)
        return Measured(mean, max(0.05, math.sqrt(max(0.0, variance)) / mean))


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured, all of it."""

    gateway: Measured
    """Envoy's own time on the way to a service."""
    checkout: Measured
    catalog: Measured
    recommendations: Measured
    payments: Measured
    write: Measured
    """One transaction of the checkout, through the gateway."""
    read: Measured
    """The catalog's query on the nearest copy."""
    lag: Measured
    """From commit on the primary to visible on the standby."""
    link_s: float
    """What crossing a link adds to a round trip."""
    capacity: dict[str, float]
    """Answers a second of one instance that is asked for more than it can do."""
    slots: dict[str, int]
    queue: dict[str, int]
    boot_s: dict[str, float]
    """From start to the first answer."""
    machine: dict[str, Any]
    """Processors and load while measuring."""

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def calibrate(folder: LabFolder, say: Callable[[str], None]) -> Calibration:
    """Measure the lab of the folder, region eu-1, some 40 s. GamedayError when it is not up or something fails on the way."""
    state = ask(folder, "GET", "/status")
    if not state["ready"]:
        raise GamedayError(f"the lab does not work: {'; '.join(state['waiting'])}")
    layout = Layout(state["block"])
    load = os.getloadavg()[0]
    one = {service: layout.instances(service, "eu-1")[0] for service in SERVICES}
    urls = {service: f"http://{instance.host}:{instance.port}" for service, instance in one.items()}
    controls = {service: _json("GET", url + "/control") for service, url in urls.items()}
    say("timing requests one after the other")
    primary, standby = _databases(layout)
    payments = _times(
        _asker("POST", f"http://{layout.payments_from('eu-1')}:{PAYMENTS_PORT}/charges/calibrate-", numbered=True), 201
    )
    write, read = _write_times(dsn(layout.gateway("eu-1"))), _read_times(dsn(layout.database("eu-1")))
    recommendations = _times(_asker("GET", urls["recommendations"] + "/recommendations"))
    through = _times(_asker("GET", f"http://{layout.gateway('eu-1')}:{GATEWAY_PORT}/health"))
    checkout = _times(_asker("POST", urls["checkout"] + "/checkout"), 201).without(write, payments, write)
    catalog = _catalog(urls["catalog"]).without(read)
    say("timing links and replication")
    direct = _times(_asker("GET", f"http://{layout.payments}:{PAYMENTS_PORT}/health"))
    linked = _times(_asker("GET", f"http://{layout.payments_from('eu-1')}:{PAYMENTS_PORT}/health"))
    lag = _lag(dsn(primary), dsn(standby))
    say("asking each service for more than it can do")
    paths = {"checkout": ("POST", "/checkout"), "catalog": ("GET", "/catalog/7"), "recommendations": ("GET", "/recommendations")}
    capacity = {service: _flood(urls[service], *paths[service], controls[service]["slots"]) for service in SERVICES}
    say("restarting one instance of each service, and a gateway")
    boot = {service: _restart(folder, instance.name) for service, instance in one.items()}
    boot["gateway"] = _restart(folder, "gateway-eu-1")
    return Calibration(
        gateway=through,
        checkout=checkout,
        catalog=catalog,
        recommendations=recommendations,
        payments=payments.without(Measured(max(0.0, linked.mean_s - direct.mean_s), 0.0)),
        write=write,
        read=read,
        lag=lag,
        link_s=max(0.0, linked.mean_s - direct.mean_s),
        capacity=capacity,
        slots={service: control["slots"] for service, control in controls.items()},
        queue={service: control["queue"] for service, control in controls.items()},
        boot_s=boot,
        machine={"processors": os.cpu_count(), "load": round(load, 1), "versions": state["versions"]},
    )


# -- requests -----------------------------------------------------------------------------------------------------------


def _asker(method: str, url: str, *, numbered: bool = False) -> Callable[[int], int]:
    """Asks on one kept connection; the status."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=WAIT_S)
    stamp = time.time_ns()

    def ask_once(number: int) -> int:
        connection.request(method, parts.path + (f"{stamp}-{number}" if numbered else ""), headers={"x-class": "critical"})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    return ask_once


def _times(ask_once: Callable[[int], int], expected: int = 200) -> Measured:
    """Times of requests one after the other. GamedayError when one is answered otherwise."""
    found = []
    for number in range(REQUESTS + 5):
        began = time.perf_counter()
        try:
            status = ask_once(number)
        except OSError as error:
            raise GamedayError(f"the lab stopped answering while it was measured: {error}") from error
        if status != expected:
            raise GamedayError(
                f"the lab answered {status} instead of {expected} while it was measured; is something broken in it?"
            )
        if number >= 5:  # the first ones open connections
            found.append(time.perf_counter() - began)
    return _summary(found)


def _summary(found: list[float]) -> Measured:
    mean = math.fsum(found) / len(found)
    return Measured(mean, math.sqrt(math.fsum((one - mean) ** 2 for one in found) / (len(found) - 1)) / mean)


def _catalog(url: str) -> Measured:
    """The catalog without its optional call."""
    _json("PUT", url + "/control", {"recommendations": False})
    try:
        return _times(_asker("GET", url + "/catalog/7"))
    finally:
        _json("PUT", url + "/control", {"recommendations": True})


def _json(method: str, url: str, body: Any = None) -> Any:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=WAIT_S)
    with closing(connection):
        connection.request(method, parts.path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        return json.load(connection.getresponse())


def _flood(url: str, method: str, path: str, slots: int) -> float:
    """Good answers a second while twice as many callers as slots never pause."""
    ends = time.perf_counter() + FLOOD_S

    def caller(_number: int) -> int:
        ask_once, good = _asker(method, url + path), 0
        while time.perf_counter() < ends:
            good += ask_once(0) < 300
        return good

    with ThreadPoolExecutor(2 * slots) as pool:
        return sum(pool.map(caller, range(2 * slots))) / FLOOD_S


def _restart(folder: LabFolder, process: str) -> float:
    began = time.perf_counter()
    if not ask(folder, "POST", f"/processes/{process}/restart?force=1")["answers"]:
        raise GamedayError(f"{process} does not come back after a restart")
    return time.perf_counter() - began


# -- the database -------------------------------------------------------------------------------------------------------


def _databases(layout: Layout) -> tuple[str, str]:
    """Addresses of primary and standby."""
    found: dict[str, str] = {}
    for region in REGIONS:
        host = layout.database(region)
        role = _json("GET", f"http://{host}:{PATRONI_PORT}/patroni").get("role")
        found["standby" if role in {"replica", "standby"} else "primary"] = host
    if set(found) != {"primary", "standby"}:
        raise GamedayError("the database has not one primary and one standby; measuring needs both")
    return found["primary"], found["standby"]


def _write_times(where: str) -> Measured:
    with closing(psycopg.connect(where)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS calibration (id bigint PRIMARY KEY)")
        connection.commit()
        base = time.time_ns()

        def write(number: int) -> int:
            with connection.transaction():
                connection.execute("INSERT INTO calibration VALUES (%s)", (base + number,))
            return 200

        return _times(write)


def _read_times(where: str) -> Measured:
    with closing(psycopg.connect(where)) as connection:

        def read(_number: int) -> int:
            with connection.transaction():
                connection.execute("SELECT (SELECT max(beat) FROM pulse), name FROM items WHERE id = 7").fetchall()
            return 200

        return _times(read)


def _lag(primary: str, standby: str) -> Measured:
    """How long after its commit a row is seen on the standby; looked for without pause."""
    found = []
    with (
        closing(psycopg.connect(primary, autocommit=True)) as writer,
        closing(psycopg.connect(standby, autocommit=True)) as reader,
    ):
        for _ in range(REQUESTS // 3):
            number = time.time_ns()
            writer.execute("INSERT INTO calibration VALUES (%s)", (number,))
            began = time.perf_counter()
            while not reader.execute("SELECT 1 FROM calibration WHERE id = %s", (number,)).fetchone():
                if time.perf_counter() - began > WAIT_S:
                    raise GamedayError("the standby does not follow the primary; measuring needs both")
            found.append(time.perf_counter() - began)
    return _summary(found)
