"""The JSON Schema of scenario files, from the models.

Short forms (`20/s`, `exponential 12ms`, `kill region/eu-1 at 10m`) are allowed beside the long ones. A scenario may get sections
from its includes, so nothing is required at the top but the version.
"""

from __future__ import annotations

import json
from typing import Any

SHORT_FORMS = ("Distribution", "ScheduledFault", "Trigger", "Constant")
"""Models that may be written as a string."""


def schema() -> dict[str, Any]:
    """The schema as a mapping."""
    from gameday.scenario.model import Scenario

    made = Scenario.model_json_schema(by_alias=True, mode="validation")
    for name in SHORT_FORMS:
        long = made["$defs"].get(name)
        if long is not None:
            made["$defs"][name] = {"title": name, "description": long.get("description", ""), "anyOf": [{"type": "string"}, long]}
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "gameday scenario"
    made["required"] = []
    made["properties"]["include"] = {
        "description": "Files merged below this one: systems, teams, loads.",
        "type": "array",
        "items": {"type": "string"},
    }
    return made


def schema_text() -> str:
    """The schema as it is printed."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
