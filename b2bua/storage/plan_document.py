"""docs/business-data.md, made from the kinds of the plan: the code is the only place where a field is described."""

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from b2bua.storage.plan_values import plain
from routing.goal import Goal
from routing.plan import KINDS

_INTRODUCTION = """\
# Business data

<!-- Made by scripts/gen_config_docs from routing/ and b2bua/storage/plan_document.py: change the text there. -->

Who takes a call is data: queues, VDNs, priorities, menus, persons ... They lie in the database, are changed while calls
go on, and each change is what the next decision goes by: at once on the node that took it, within a second on others.

**Over the API** every kind has the same end points: `GET /v1/queues`, `POST /v1/queues`, and `GET`, `PUT`, `PATCH`,
`DELETE /v1/queues/KEY`. `PUT` creates or replaces; `PATCH` is a JSON merge patch. `GET /v1/plan` has everything by
kind; `POST /v1/plan` creates or replaces many values of any kinds (and `agents`) together or not at all, and with
`?rehearse=true` only says what would come of it. A tenant's key sees what belongs to its tenant.

**As files**: `tandem import desk.toml` takes TOML with `[[queues]]`, `[[vdns]]` ..., or `[queues.repairs]` where the
name is the key; `tandem import persons.csv --kind persons` takes one row for each value, the first row naming the
fields. In a cell several values stand with `|` between them, names with values as `gas=3|water=1`, a goal as
`queue repairs`, a field inside another in a column like `otherwise.kind`; an empty cell leaves the field as it is by
default. Agents' phones are imported as `--kind agents` (extension, name, contact, listener, enabled, password).
`tandem import FILE --check` changes nothing. An import adds and replaces; `tandem plan remove KIND KEY` removes, and
`tandem import FILE --whole` (`?whole=true`) also removes what the file leaves out of the kinds it has: of a nightly
list of absences, those that are no more. With `--tenant acme` it removes nothing but that tenant's. `--check` names
everything that would go. Agents' phones and kinds that the file does not name stay; a CSV file without rows empties
its kind.
`tandem export` writes everything as TOML, `tandem export --kind persons --csv` one kind as CSV; both can be imported.
`tandem plan kinds`, `tandem plan list KIND` and `tandem plan show KIND KEY` look at what is in force.

**Mistakes** are all told at once, with file, line and key, and the old data stay in force:

```text
desk.toml:21: vdn 3: goal: there is no queue repair
desk.toml:24: agent-profile 1009: extension: there is no agent 1009
```

A change is refused (409) when it would make anything wrong that was right: a queue that a VDN leads to cannot be
removed, nor an agent whom a profile names. An unknown field is a mistake.

**Secrets** (PINs, passwords, keys of webhooks) are kept but shown as `***`; sending `***` back, or leaving the field
out, keeps them. Where the URL beside a secret leads to another host, it must be named again. The audit log has every
change without its secrets.

**Keys** have 1 to 64 letters, digits, `.`, `_` and `-`, and do not begin with a mark. A key cannot be changed.
"""

_EXAMPLE = """\
## Example

```toml
{example}```
"""

EXAMPLE = """\
[[calendars]]
id = "office"
zone = "Asia/Shanghai"
hours = { mon = ["08:00-12:00", "13:00-18:00"], sat = ["09:00-12:00"] }
holidays = { "2026-10-01" = "National Day" }

[[priority-classes]]                    # two minutes ahead of everybody else
name = "urgent"
ahead = 120

[[priorities]]                          # who dials 3 from this area is urgent
id = "gas-smell"
priority = "urgent"
vdn = "3"
caller = "021*"

[[queues]]
id = "repairs"
name = "Repairs"
strategy = "longest-idle"
skills = { gas = 2 }
widen = [{ after = 30, skills = { gas = 1 } }, { after = 60 }]
max_wait = 600
announce_every = 30
callback_key = "1"

[[queues.overflow]]
when = "wait"
more_than = 120
goal = { kind = "queue", target = "everybody" }

[[queues]]
id = "everybody"
name = "Whoever is there"

[[vdns]]
number = "3"
name = "Repairs"
goal = { kind = "queue", target = "repairs" }
"""
"Data that a test keeps free of mistakes."


def business_data_page() -> str:
    """The whole page, as Markdown."""
    parts = [_INTRODUCTION, _EXAMPLE.format(example=EXAMPLE)]
    for kind in KINDS.values():
        parts.append(f"## {kind.word}\n\n{_text(kind.type)} The key is `{kind.key_field}`.\n\n{_table(kind.type)}")
        parts += [
            f"### {one.__name__}\n\n{_text(one)}\n\n{_table(one)}" for one in _inner(kind.type, {kind.type, Goal})
        ]
    parts.append(f"## Goals\n\n{_text(Goal)}\n\n{_table(Goal)}")
    return "\n".join(parts)


def _inner(type_: Any, seen: set[Any]) -> Iterator[type[Any]]:
    """The dataclasses inside a value, in the order of its fields."""
    for hint in get_type_hints(type_).values():
        for one in _dataclasses(hint):
            if one not in seen:
                seen.add(one)
                yield one
                yield from _inner(one, seen)


def _dataclasses(hint: Any) -> Iterator[type[Any]]:
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
    for inner in get_args(hint):
        yield from _dataclasses(inner)


def _text(type_: type[Any]) -> str:
    return inspect.cleandoc(type_.__doc__ or "")


def _table(type_: type[Any]) -> str:
    rows = ["| field | type | default | meaning |", "| --- | --- | --- | --- |"]
    hints, texts = get_type_hints(type_), _described(type_)
    for one in fields(type_):
        default = "**needed**"
        if one.default is not MISSING:
            default = _shown(plain(one.default))
        elif one.default_factory is not MISSING:
            default = _shown(plain(one.default_factory()))
        secret = "" if one.repr else ", secret"
        rows.append(f"| `{one.name}` | {_kind(hints[one.name])}{secret} | {default} | {texts.get(one.name, '')} |")
    return "\n".join(rows) + "\n"


def _described(type_: type[Any]) -> dict[str, str]:
    """What the source says below each field."""
    (made,) = ast.parse(textwrap.dedent(inspect.getsource(type_))).body
    assert isinstance(made, ast.ClassDef)
    found = {}
    for field, text in zip(made.body, made.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(str(text.value.value).split()).replace("|", "\\|")
    return found


def _shown(value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, Mapping) and value.keys() == {"kind", "target"}:
        value = f"{value['kind']} {value['target']}".strip()
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{text}`".replace("|", "\\|")


def _kind(hint: Any) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(f"`{value}`" if value else "nothing" for value in inner).replace("|", "\\|")
    if origin in (Union, UnionType):
        return " or ".join(_kind(one) for one in inner if one is not NoneType)
    if origin in (tuple, frozenset):
        return f"list of {_kind(inner[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"names with {_kind(inner[1])}"
    if hint is Goal:
        return "[goal](#goals)"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " or ".join(f"`{one.value}`" for one in hint)
    names = {str: "text", int: "number", float: "number", bool: "true or false"}
    name: str = names.get(hint) or hint.__name__
    return name
