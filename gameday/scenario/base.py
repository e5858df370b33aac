"""The base of every scenario model: unknown keys are refused, instances are frozen, docstrings describe the fields.

The rule that surprises: only `true` and `false` are booleans (pydantic alone would take `yes`, `on` and 1), and a boolean is not
a number (pydantic alone would take `slots: true` for 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class InWords:
    """What a type allows, in plain words: `Annotated[str, Field(pattern=...), InWords("a name of lower-case letters")]`.

    Error messages say "must be <text>"; it changes nothing else.
    """

    text: str


def _without_boolean_surprises(schema: Any, *, at_top: bool = False) -> None:
    """Change a schema in place, down to but not into the models nested in it (they have been changed already)."""
    if isinstance(schema, list | tuple):
        for part in schema:
            _without_boolean_surprises(part)
        return
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    if kind == "bool":
        schema["strict"] = True
    elif kind in {"int", "float"}:
        number = dict(schema)
        schema.clear()
        schema.update(core_schema.no_info_before_validator_function(_no_boolean, number))
    elif kind == "function-before" and schema["function"].get("function") is _no_boolean:
        return
    elif kind != "model" or at_top:
        for key, part in schema.items():
            if key not in {"metadata", "default", "serialization", "config", "ref"}:
                _without_boolean_surprises(part)


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("not_a_number", "must be a number")
    return value


class Strict(BaseModel):
    """Base of the scenario models. A field that needs another name in YAML has an alias; both names are read."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
        validate_default=False,
        allow_inf_nan=False,
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The model's own schema with booleans made strict, and numbers that refuse booleans."""
        schema = handler(source)
        _without_boolean_surprises(schema, at_top=True)
        return schema

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The model's JSON schema with defaults as people write them: "5m", not 300.0."""
        reference = handler(schema)
        written = handler.resolve_ref_schema(reference)
        defaults = cls.model_construct().model_dump(mode="json", by_alias=True, warnings=False)
        for key, described in written.get("properties", {}).items():
            if "default" in described and key in defaults:
                described["default"] = defaults[key]
        return reference
