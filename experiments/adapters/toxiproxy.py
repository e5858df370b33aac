"""Toxiproxy's HTTP API: a relay on a connection is cut, or made slow; the lab's relays and a real Toxiproxy speak it alike.

The rule that surprises: a toxic is named after what it does (`gameday-latency-200-1`), so that a process that knows nothing of the one
that added it can find it and take it away.
"""

from __future__ import annotations

from typing import Any

from experiments.calls import CallError, call

PREFIX = "gameday"


SILENCE = {"upstream": f"{PREFIX}-silence-up", "downstream": f"{PREFIX}-silence-down"}
"""Toxics that together let nothing through, by stream."""


class Toxiproxy:
    """The proxies of one server."""

    def __init__(self, api: str) -> None:
        self._api = api.rstrip("/")

    def proxies(self) -> dict[str, dict[str, Any]]:
        """All proxies by name."""
        found = call("GET", f"{self._api}/proxies")
        assert isinstance(found, dict), "Toxiproxy answers with a mapping"
        return found

    def is_enabled(self, proxy: str) -> bool:
        """Whether it lets anything through."""
        return bool(self._proxy(proxy).get("enabled", False))

    def enable(self, proxy: str, *, enabled: bool) -> None:
        """Let connections through, or drop those that are open and refuse new ones."""
        call("POST", f"{self._api}/proxies/{proxy}", {"enabled": enabled})

    def silence(self, proxy: str) -> None:
        """Let nothing through in either direction, as a network that loses everything: what is open stays open, and hears nothing."""
        for stream, name in SILENCE.items():
            toxic = {"name": name, "type": "timeout", "stream": stream, "toxicity": 1.0, "attributes": {"timeout": 0}}
            if not self._has(proxy, name):
                call("POST", f"{self._api}/proxies/{proxy}/toxics", toxic)

    def end_silence(self, proxy: str) -> None:
        """Undo `silence`; connections that lost something are closed. Nothing happens where there is none."""
        for name in SILENCE.values():
            if self._has(proxy, name):
                self._remove(proxy, name)

    def is_silent(self, proxy: str) -> bool:
        """Whether nothing goes through in either direction."""
        return all(self._has(proxy, name) for name in SILENCE.values())

    def _has(self, proxy: str, name: str) -> bool:
        return any(each["name"] == name for each in self.toxics(proxy))

    def _remove(self, proxy: str, name: str) -> None:
        try:
            call("DELETE", f"{self._api}/proxies/{proxy}/toxics/{name}")
        except CallError as error:
            if error.status != 404:
                raise

    def toxics(self, proxy: str) -> list[dict[str, Any]]:
        """What is in the way of a proxy's traffic."""
        return list(self._proxy(proxy).get("toxics") or [])

    def add_latency(self, proxy: str, latency_s: float, jitter_s: float = 0.0) -> None:
        """Delay everything that goes upstream by so long, give or take as much as `jitter_s`; several delays add up."""
        milliseconds = round(latency_s * 1000)
        stem = f"{PREFIX}-latency-{milliseconds}"
        taken = {str(each["name"]) for each in self.toxics(proxy)}
        name = next(f"{stem}-{number}" for number in range(1, len(taken) + 2) if f"{stem}-{number}" not in taken)
        toxic = {
            "name": name,
            "type": "latency",
            "stream": "upstream",
            "toxicity": 1.0,
            "attributes": {"latency": milliseconds, "jitter": round(jitter_s * 1000)},
        }
        call("POST", f"{self._api}/proxies/{proxy}/toxics", toxic)

    def remove_latency(self, proxy: str, latency_s: float) -> None:
        """Take one such delay away; where there is none, nothing happens."""
        stem = f"{PREFIX}-latency-{round(latency_s * 1000)}-"
        found = sorted(str(each["name"]) for each in self.toxics(proxy) if str(each["name"]).startswith(stem))
        if not found:
            return
        self._remove(proxy, found[-1])

    def latency_s(self, proxy: str) -> float:
        """All delays that we added together, seconds."""
        ours = [each for each in self.toxics(proxy) if str(each["name"]).startswith(f"{PREFIX}-latency-")]
        return sum(float(each["attributes"]["latency"]) for each in ours) / 1000.0

    def _proxy(self, name: str) -> dict[str, Any]:
        found = call("GET", f"{self._api}/proxies/{name}")
        assert isinstance(found, dict), "Toxiproxy answers with a mapping"
        return found
