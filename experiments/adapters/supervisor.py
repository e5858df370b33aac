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

    def throttle(self, name: str, share: float) -> None:
        """Give it this share of the processor; 1 is all."""
        self._ask(name, f"throttle?share={share!r}")

    def monitoring_lacks(self) -> list[str] | None:
        """Programs that are missing for Prometheus and Alertmanager; None when this supervisor starts none. CallError likewise."""
        found = call("GET", f"{self._url}/monitoring", headers=self._headers)
        if not isinstance(found, dict) or not isinstance(found.get("monitoring"), dict):
            return None
        return [str(each) for each in found["monitoring"]["missing"]]

    def start_monitoring(self, rules: str, alertmanager: str, scrape_s: float, scrape: list[dict[str, Any]]) -> dict[str, str]:
        """Start Prometheus and Alertmanager with these files, for a while; their addresses. `scrape`: further scrape configurations."""
        body = {"rules": rules, "alertmanager": alertmanager, "scrape_s": scrape_s, "scrape": scrape, "announce": False}
        found = call("PUT", f"{self._url}/monitoring", body, self._headers, SLOW_S)
        assert isinstance(found, dict), "a supervisor answers with a mapping"
        return {str(name): str(url) for name, url in found.items()}

    def end_monitoring(self) -> None:
        """End both; nothing happens when they do not run."""
        call("DELETE", f"{self._url}/monitoring", headers=self._headers, timeout_s=SLOW_S)

    def _ask(self, name: str, what: str) -> None:
        call("POST", f"{self._url}/processes/{quote(name)}/{what}", headers=self._headers, timeout_s=SLOW_S)
