"""The folder of one lab: target file, token, state, logs, data; and the processes that belong to it."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import psutil

from gameday.atomic_files import cannot, write_atomically
from gameday.errors import GamedayError

TOKEN_VARIABLE: Final = "GAMEDAY_LAB_TOKEN"  # noqa: S105 - the variable's name
STATE_VERSION: Final = 1
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_GONE_WITHIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class LabFolder:
    """Where things lie. The folder need not exist."""

    path: Path
    name: str

    @classmethod
    def of(cls, name: str, place: Path | None) -> Self:
        """`place`, or `.lab/<name>` below the working directory. GamedayError for a name that is none."""
        if not _NAME.fullmatch(name):
            raise GamedayError(f"a lab's name is of small letters, digits and '-', at most 31 long, not '{name[:60]}'")
        return cls((place or Path(".lab") / name).resolve(), name)

    @property
    def state(self) -> Path:
        """What runs, as the supervisor wrote it."""
        return self.path / "state.json"

    @property
    def token(self) -> Path:
        """The supervisor's password, readable by its owner only."""
        return self.path / "token"

    @property
    def target(self) -> Path:
        """The target file of the lab."""
        return self.path / "target.yaml"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.path / "logs"

    @property
    def data(self) -> Path:
        """One folder per process; its working directory."""
        return self.path / "data"

    def read_state(self) -> dict[str, Any] | None:
        """What state.json says; None when there is none. GamedayError when it cannot be read."""
        try:
            found = json.loads(self.state.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise GamedayError(f"cannot read {self.state}: {error}; 'gameday lab down' cleans up") from error
        if not isinstance(found, dict) or found.get("version") != STATE_VERSION:
            raise GamedayError(f"{self.state} is of another version of the lab; 'gameday lab down' cleans up")
        return found

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace state.json."""
        write_atomically(self.state, json.dumps({"version": STATE_VERSION} | state, indent=2).encode())

    def read_token(self) -> str:
        """The token, from the environment or the folder."""
        if given := os.environ.get(TOKEN_VARIABLE):
            return given
        try:
            return self.token.read_text(encoding="ascii").strip()
        except OSError as error:
            raise cannot("read", self.token, error) from error

    def make(self) -> None:
        """An empty lab folder with a fresh token. GamedayError when something else is in the way."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            strangers = sorted(one.name for one in self.path.iterdir() if one.name not in _OURS)
            if strangers:
                raise GamedayError(f"cannot use {self.path} for a lab: it holds {', '.join(strangers[:3])}")
            self.clear(keep_logs=False)
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)
            self.logs.mkdir()
            self.data.mkdir()
            handle = os.open(self.token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(32) + "\n")
        except OSError as error:
            raise cannot("create", self.path, error) from error

    def clear(self, *, keep_logs: bool) -> None:
        """Take away what the lab put here."""
        for name in _OURS:
            one = self.path / name
            if keep_logs and one == self.logs:
                continue
            if one.is_dir():
                shutil.rmtree(one, ignore_errors=True)
            else:
                one.unlink(missing_ok=True)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()

    # -- processes ------------------------------------------------------------------------------------------------------

    def leftovers(self) -> list[psutil.Process]:
        """Processes of this lab, whoever started them: their working directory is below its data folder.

        That holds for PostgreSQL too, which has left its starter's group and keeps nothing of its environment. A shell that somebody
        left in such a folder is none of ours: only what belongs to one of the lab's programs is meant.
        """
        return [one for one in below(self.data) if one.pid != os.getpid() and _is_of_the_lab(one)]

    def sweep(self) -> int:
        """Kill them, without the caller itself; how many there were. GamedayError when some do not go."""
        found = self.leftovers()
        kill_all(found)
        return len(found)


_OURS: Final = ("target.yaml", "token", "state.json", "logs", "data", "supervisor.pid")
_PROGRAMS: Final = ("postgres", "etcd", "envoy", "prometheus", "prometheus-alertmanager", "alertmanager")


def _is_of_the_lab(process: psutil.Process) -> bool:
    try:
        command = process.cmdline()
        return (
            process.name() in _PROGRAMS
            or process.name().startswith("postgres")
            or any(part in {"patroni", "experiments.lab"} or part.startswith("experiments.lab.") for part in command)
        )
    except psutil.Error:
        return False


def below(folder: Path) -> list[psutil.Process]:
    """Processes whose working directory is the folder or below it; those of other users are not seen."""
    found = []
    top = os.fspath(folder)
    for process in psutil.process_iter():
        try:
            place = process.cwd().removesuffix(" (deleted)")
            if (place == top or place.startswith(top + os.sep)) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill_all(processes: list[psutil.Process]) -> None:
    """SIGKILL, and wait until they are gone. GamedayError when some are not, within ten seconds."""
    for one in processes:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    alive, ends = processes, time.monotonic() + _GONE_WITHIN_S
    while (alive := [one for one in alive if _lives(one)]) and time.monotonic() < ends:
        time.sleep(0.05)
    if alive:
        raise GamedayError(f"processes {', '.join(str(one.pid) for one in alive)} do not end")


def _lives(process: psutil.Process) -> bool:
    """A zombie does not: it waits for its parent to notice, which may never happen in a container."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
