"""The JSON Schema of scenario files as they are written, from the models: for editors, which must never call a good file bad.

The rule that surprises: a file may be one of several that are merged, so below the top nothing is required in mappings, and any of
their values may be null (which takes away what an included file has). Lists are replaced as a whole, so what is in a list is complete.
Short forms (`20/s`, `exponential 12ms`, `kill region/eu-1 at 10m`) are allowed beside the long ones. `gameday validate` has the last word.
"""

from __future__ import annotations

import json
from typing import Any

SHORT_FORMS = ("Distribution", "ScheduledFault", "Trigger", "Constant")
"""Models that may be written as a string."""

_PREFIX = "#/$defs/"


def schema() -> dict[str, Any]:
    """The schema as a mapping."""
    from gameday.scenario.model import Scenario

    made = Scenario.model_json_schema(by_alias=True, mode="validation")
    definitions = made["$defs"]
    made["properties"]["include"] = {
        "description": "Files merged below this one: systems, teams, loads.",
        "type": "array",
        "items": {"type": "string"},
    }
    _Partial(definitions).relax(made)
    for name in SHORT_FORMS:
        long = definitions[name]
        definitions[name] = {"title": name, "description": long.get("description", ""), "anyOf": [{"type": "string"}, long]}
    made["type"] = "object"
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "gameday scenario"
    return made


def schema_text() -> str:
    """The schema as it is printed."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


class _Partial:
    """Turns schemas of whole mappings into schemas of what one of several files may say of them."""

    def __init__(self, definitions: dict[str, Any]) -> None:
        self._definitions = definitions
        self._relaxed: set[str] = set()

    def relax(self, schema: dict[str, Any]) -> None:
        """Change a schema, and the definitions it uses, in place; not what is inside lists."""
        reference = schema.get("$ref")
        if reference is not None:
            name = reference.removeprefix(_PREFIX)
            if name not in self._relaxed:
                self._relaxed.add(name)
                self.relax(self._definitions[name])
            return
        schema.pop("required", None)
        schema.pop("minProperties", None)
        # Without the key that tells them apart, several kinds of mapping may fit what stands in one file.
        alternatives = schema.pop("oneOf", None)
        if alternatives is not None:
            schema.pop("discriminator", None)
            schema["anyOf"] = alternatives
        parts = [*schema.get("properties", {}).values(), *schema.get("patternProperties", {}).values(), *schema.get("anyOf", [])]
        values = schema.get("additionalProperties")
        parts += [values] if isinstance(values, dict) else []
        for part in parts:
            self.relax(part)
        _allow_null(schema)


def _allow_null(schema: dict[str, Any]) -> None:
    """Null is allowed too; alternatives have it already, as one of them."""
    kinds = schema.get("type")
    if isinstance(kinds, str | list):
        schema["type"] = [*dict.fromkeys([*([kinds] if isinstance(kinds, str) else kinds), "null"])]
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
