"""Alertmanager: silences for planned work, taken away again; its webhook is read by `experiments.observe.receivers`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from experiments.calls import CallError, call
from gameday.alerting.matchers import Matcher


class Alertmanager:
    """One server."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            call("GET", f"{self._url}/api/v2/status")
        except CallError:
            return False
        return True

    def silence(self, matchers: Iterable[Matcher], starts: float, ends: float, why: str) -> str:
        """Silence alerts that meet all matchers between two wall times; the silence's id."""
        body = {
            "matchers": [
                {
                    "name": each.label,
                    "value": each.value,
                    "isRegex": each.operator in {"=~", "!~"},
                    "isEqual": each.operator in {"=", "=~"},
                }
                for each in matchers
            ],
            "startsAt": datetime.fromtimestamp(starts, UTC).isoformat(),
            "endsAt": datetime.fromtimestamp(ends, UTC).isoformat(),
            "createdBy": "gameday",
            "comment": why,
        }
        return str(call("POST", f"{self._url}/api/v2/silences", body)["silenceID"])

    def expire(self, silence: str) -> None:
        """End a silence; one that is over already stays over."""
        try:
            call("DELETE", f"{self._url}/api/v2/silence/{silence}")
        except CallError as error:
            if error.status != 404:
                raise

    def silences(self) -> list[str]:
        """Ids of the silences that are active."""
        found = call("GET", f"{self._url}/api/v2/silences")
        return [str(each["id"]) for each in found if each["status"]["state"] == "active"]
