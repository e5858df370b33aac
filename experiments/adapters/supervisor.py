"""The lab's process supervisor, over HTTP: kill, restart, freeze, resume by name; every call answers when it is done."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from experiments.calls import call

SLOW_S = 30.0
"""A restart answers when the process runs again."""


class Supervisor:
    """The processes a supervisor looks after."""

    def __init__(self, url: str, token: str | None) -> None:
        """The token goes into a header and nowhere else."""
        self._url = url.rstrip("/")
        self._headers = {"X-Lab-Token": token} if token else {}

    def processes(self) -> dict[str, dict[str, Any]]:
        """Name to state (`running`, `stopped`, `frozen`, `exited`), process id and more."""
        found = call("GET", f"{self._url}/processes", headers=self._headers)
        assert isinstance(found, dict), "a supervisor answers with a mapping"
        return found

    def state(self, name: str) -> str:
        """State of one process; `unknown` when the supervisor has none of that name."""
        return str(self.processes().get(name, {}).get("state", "unknown"))

    def kill(self, name: str) -> None:
        """SIGKILL to the whole group; it stays dead until `restart`."""
        self._ask(name, "kill")

    def restart(self, name: str) -> None:
        """Start it (again)."""
        self._ask(name, "restart")

    def freeze(self, name: str, *, children: bool = True) -> None:
        """SIGSTOP to the group, or to the process alone."""
        self._ask(name, "freeze" if children else "freeze?children=0")

    def resume(self, name: str, *, children: bool = True) -> None:
        """SIGCONT likewise."""
        self._ask(name, "resume" if children else "resume?children=0")

    def _ask(self, name: str, what: str) -> None:
        call("POST", f"{self._url}/processes/{quote(name)}/{what}", headers=self._headers, timeout_s=SLOW_S)
