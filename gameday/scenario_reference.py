"""The reference page of scenario files, from the models, selectors and faults that the program itself reads with.

The rule that surprises: every field must have a docstring, because that is its description; one without stops the generator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from gameday.faults import Fault
    from gameday.scenario.wording import Shape

_SCENARIO_INTRODUCTION: Final = """\
# Scenario files

A scenario is one YAML file. Unknown keys are refused, and every problem of a file is reported at once (`gameday validate`).
`gameday schema` prints the JSON Schema of this page; editors that know yaml-language-server find it in the first line of the
shipped scenarios.

The types of the tables, as they are written:

| type | written |
|---|---|
| duration | `90s`, `5m`, `250ms`, `1h30m`, `2d`, or `0` |
| rate | `2000/s`, `120/m`, `1/h`, `5/d`, or `0` |
| ratio | `99.9%` or `0.999` |
| amount | money: `12.50 EUR`, or a plain number in the currency of the system |
| name | lower case letters, digits, `-`, `_` and `.`, at most 60 characters |
| distribution | `exponential 12ms`, `lognormal 12ms cv 0.8`, `gamma 12ms cv 0.5`, `constant 12ms` or just `12ms` |

A duration or a rate without its unit is refused. Only `true` and `false` are booleans.

`include` at the top of a file lists files that are merged below it, looked for beside the file and then among the shipped
scenarios. Mappings are merged key by key, lists and single values replace what was there, and a key set to `null` takes away
what an included file had under it. `--set path=value` on the command line is laid on top of everything; a list element is
named by its index, from 0.
"""

_FAULTS_INTRODUCTION: Final = """\
## Faults

What may stand under `fault` in [the schedule](#schedule). Overlapping faults add up: two kills need two restarts, slowdowns
multiply. *Mended by* is the action of a [runbook](#runbook) that takes the fault away; where nothing mends it, it ends when the
schedule says so, and people can only work around it.
"""

_TYPED: Final = re.compile(r"[a-z]+/<[^ ,;]*|^dns$")
"""What is to be typed in the description of a selector."""

_TARGETS: Final[Mapping[str, str]] = {
    "service": "service/a",
    "instance": "instance/a@z/0",
    "zone": "zone/z",
    "region": "region/r",
    "database": "database/a",
    "link": "link/a->b",
    "provider": "provider/a",
    "queue": "queue/a",
    "group": "group/a",
    "dns": "dns",
    "dependency": "dependency/a->b",
}


def scenario_reference() -> str:
    """The page of scenario files: every model below `Scenario`, the selectors, the faults."""
    from gameday.scenario.model import Scenario

    parts = [_SCENARIO_INTRODUCTION, *_models(Scenario), _selectors(), _FAULTS_INTRODUCTION, *map(_fault, _all_faults())]
    return "\n".join(parts)


def _models(top: type[BaseModel]) -> Iterator[str]:
    """A model and then everything its fields lead to, each once, in the order in which a reader meets them."""
    waiting: list[tuple[type[BaseModel], int]] = [(top, 2)]
    titles: dict[str, type[BaseModel]] = {}
    while waiting:
        model, depth = waiting.pop(0)
        title = _title(model)
        if titles.setdefault(title, model) is not model:
            raise AssertionError(f"two models are called {title}")
        yield _model(model, depth)
        below = [each for field in model.model_fields.values() for each in _models_in(_shape(field))]
        known = {each for each, _ in waiting} | set(titles.values())
        fresh = [(each, 2 if model is top else 3) for each in dict.fromkeys(below) if each not in known]
        waiting = [*fresh, *waiting] if model is not top else [*waiting, *fresh]


def _model(model: type[BaseModel], depth: int) -> str:
    lines = ["#" * depth + f" {_title(model)}", "", _one_paragraph(model.__doc__), ""]
    lines += _field_table(model)
    return "\n".join([*lines, ""])


def _field_table(model: type[BaseModel]) -> list[str]:
    """One row a field: key, type, default, meaning."""
    from gameday.scenario.wording import written_name

    defaults = model.model_construct()
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else _default(getattr(defaults, name), defaults, name, field)
        meaning = _one_paragraph(field.description or _discriminator(field))
        rows.append(f"| `{written_name(name, field)}` | {_type(_shape(field))} | {default} | {as_cell(meaning)} |")
    return rows


def _discriminator(field: FieldInfo) -> str | None:
    """What a field says that allows one word only, by which the form is recognised."""
    from gameday.scenario.wording import allowed_values

    return "Says which form this is." if len(allowed_values(_shape(field))) == 1 else None


def _shape(field: FieldInfo) -> Shape:
    from gameday.scenario.wording import shape_of_field

    return shape_of_field(field)


def _type(shape: Shape) -> str:
    """A type in plain words, with links to the models it leads to."""
    from gameday.scenario.base import InWords
    from gameday.scenario.wording import allowed_values, is_container, item_shapes, listed, words_for

    if any(isinstance(item, InWords) for item in shape.metadata):
        links = [f"[{_title(model)}]({_anchor(model)})" for model in _models_in(shape)]
        noun = _short(shape)
        return links[0].replace(noun.capitalize(), noun) if links and noun in links[0] else as_cell(listed([noun, *links], "or"))
    if shape.members:
        words = list(dict.fromkeys(_type(member) for member in shape.members))
        return f"{words[0]}; or a list of these" if words[1:] == [f"list of {words[0]}"] else listed(words, "or")
    if shape.model is not None:
        return f"[{_title(shape.model)}]({_anchor(shape.model)})"
    values = allowed_values(shape)
    if values:
        return as_cell(listed([f"`{value}`" for value in values], "or"))
    if is_container(shape):
        keys, items = item_shapes(shape)
        what = "" if str(items.bare) == "typing.Any" else f" of {_type(items)}"
        if isinstance(_origin(shape), type) and issubclass(_origin(shape), Mapping):
            return f"mapping of {_type(keys)} to {_type(items)}" if what else "mapping"
        return f"list{what}"
    return as_cell(_without_article(words_for(shape)))


def _short(shape: Shape) -> str:
    """The noun of a type that the introduction explains, and its bounds: `duration`, `ratio, greater than 0%`."""
    from gameday.scenario.base import InWords
    from gameday.scenario.wording import limits_of

    own = next(item.text for item in reversed(shape.metadata) if isinstance(item, InWords))
    noun = _without_article(own.partition(" such as ")[0].partition(" of ")[0])
    limits = limits_of(shape)
    return f"{noun}, {limits}" if limits else noun


def _without_article(text: str) -> str:
    return re.sub(r"^an? ", "", text)


def _origin(shape: Shape) -> Any:
    return getattr(shape.bare, "__origin__", shape.bare)


def _models_in(shape: Shape) -> list[type[BaseModel]]:
    """Every model a type leads to directly."""
    from gameday.scenario.wording import is_container, item_shapes

    if shape.members:
        return [model for member in shape.members for model in _models_in(member)]
    if shape.model is not None:
        return [shape.model]
    return _models_in(item_shapes(shape)[1]) if is_container(shape) else []


def _default(value: Any, holder: BaseModel, name: str, field: FieldInfo) -> str:
    """A default as people write it in a file."""
    from pydantic import BaseModel

    if value is None:
        return "none"
    if isinstance(value, BaseModel):
        return _default_model(value)
    if value in ([], {}):
        return "empty"
    written = holder.model_dump(mode="json", by_alias=True, warnings=False, include={name})
    shown = written.get(field.alias or name, value)  # a field with `exclude_if` is left out while it has its default
    return f"`{_flow(shown)}`"


def _default_model(value: BaseModel) -> str:
    """A model's own defaults by a link; a distribution in its short form; else the fields that were set."""
    from gameday.scenario.times import Distribution

    written = value.model_dump(mode="json", by_alias=True)
    if isinstance(value, Distribution):
        spread = f" cv {written['cv']:g}" if value.family in {"lognormal", "gamma"} else ""
        return f"`{value.family} {written['mean']}{spread}`"
    if not value.model_fields_set:
        return f"as [there]({_anchor(type(value))})"
    said = {key: written[field.alias or key] for key, field in type(value).model_fields.items() if key in value.model_fields_set}
    return f"`{_flow(said)}`"


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _title(model: type[BaseModel]) -> str:
    """`BurnRateRule` as `Burn rate rule`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__).lower()
    return words[0].upper() + words[1:]


def _anchor(model: type[BaseModel]) -> str:
    return "#" + _title(model).lower().replace(" ", "-")


def as_cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("<", "&lt;") if "`" not in text else text.replace("|", "\\|")


def _one_paragraph(text: str | None) -> str:
    assert text, "everything in the reference has a docstring"
    return " ".join(text.split())


# -- selectors and faults -----------------------------------------------------------------------------------------------


def _selectors() -> str:
    """How each kind of selector is written, with what is to be typed set as code."""
    from gameday.selectors import _FORMS

    lines = [
        "## Selectors",
        "",
        "How a target is named, wherever one is asked for.",
        "",
        "| kind | how it is written |",
        "|---|---|",
    ]
    for kind, form in _FORMS.items():
        lines.append(f"| {kind} | {_TYPED.sub(lambda found: f'`{found[0]}`', form)} |")
    return "\n".join([*lines, ""])


def _all_faults() -> list[type[Fault]]:
    from gameday.faults import faults

    return list(faults().values())


def _fault(kind: type[Fault]) -> str:
    """What one kind of fault does, to what, with which parameters, and what mends it."""
    module = import_module(kind.__module__)
    lines = [f"### `{kind.name}`", "", _one_paragraph(module.__doc__), "", _one_paragraph(kind.__doc__), ""]
    lines += [
        f"Targets: {', '.join(name for name in _TARGETS if name in kind.targets)}.",
        "",
        f"Mended by: {_mending(kind)}.",
        "",
    ]
    lines += _field_table(kind) if kind.model_fields else ["No parameters."]
    return "\n".join([*lines, ""])


def _mending(kind: type[Fault]) -> str:
    """Actions and the targets on which they mend this fault."""
    from gameday.selectors import Selector

    fault = kind.model_construct()
    by_action: dict[str | None, list[str]] = {}
    for name, example in _TARGETS.items():
        if name in kind.targets:
            by_action.setdefault(fault.mended_by(Selector.parse(example)), []).append(name)
    if set(by_action) == {None}:
        return "nothing"
    if len(by_action) == 1:
        return f"`{next(iter(by_action))}`"
    named = [f"`{action}` on {', '.join(targets)}" for action, targets in by_action.items() if action is not None]
    return "; ".join([*named, f"nothing on {', '.join(by_action[None])}"])
