"""How `gameday ack`, `gameday say` and `gameday steer` find a day that is going on, and speak to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.calls import CallError, call
from experiments.observe.receivers import FILE
from gameday.errors import BadInput, GamedayError, Problem
from gameday.runfolder import LIVE_FOLDER


@dataclass(frozen=True, slots=True)
class Address:
    """Where a day listens."""

    url: str
    token: str


def receivers_of(run_folder: Path | None, results: Path = Path("results")) -> Address:
    """The receivers of a run, the newest in `results` where none is named. BadInput when there is none."""
    if run_folder is None:
        found = sorted(results.glob(f"*/{LIVE_FOLDER}/{FILE}"), key=lambda path: path.stat().st_mtime)
        if not found:
            raise BadInput([Problem(str(results), None, None, "", None, "holds no live day; name its folder with --run")])
        file = found[-1]
    else:
        file = run_folder / LIVE_FOLDER / FILE
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return Address(str(content["url"]), str(content["token"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput([Problem(str(file), None, None, "", None, f"is no address of a live day: {error}")]) from error


def post(address: Address, what: str, body: dict[str, Any]) -> Any:
    """What the day answers. GamedayError with its refusal, or when it is over."""
    try:
        return call("POST", f"{address.url}/{what}", body, {"Authorization": f"Bearer {address.token}"})
    except CallError as error:
        if not error.status:
            raise GamedayError("the live day is over, or it has not begun") from None
        raise GamedayError(_words(str(error).partition(": ")[2]) or str(error)) from None


def _words(detail: str) -> str:
    """The reason in an answer; whole where it is no JSON."""
    try:
        return str(json.loads(detail)["error"])
    except (ValueError, KeyError, TypeError):
        return detail
