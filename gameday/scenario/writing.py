"""Write YAML that `reading.py` reads back as the same values: text is quoted wherever it would be read as something else.

PyYAML's own dumper quotes for YAML 1.1, which is another set of words: it would write the text "1e3" without quotes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from gameday.scenario.reading import is_plain_text


class _Dumper(yaml.SafeDumper):
    """Quotes by our rules, and never writes aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        """A value that stands in two places is written twice."""
        return True


def yaml_text(data: Mapping[str, Any]) -> str:
    """Plain values (dict, list, str, int, float, bool, None; finite numbers) as YAML, keys in their order."""
    return yaml.dump(dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = is_plain_text(text)
    style = '"' if not text.replace("\n", "").isprintable() else None if plain else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
