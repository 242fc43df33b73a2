"""docs/configuration.md, made from the settings' classes: the code is the only place where a key is described."""

import inspect
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from .model import SECTIONS, TABLES
from .show import toml

_INTRODUCTION = """\
# Configuration

<!-- Made by scripts/gen_config_docs from b2bua/settings: change the text there. -->

A node reads one TOML file, and the environment over it. What belongs to the business (tenants, access numbers, tokens,
agents, routes) is in the database and is changed through the API, the pages or the `tandem` command.

**The file** is the one named by `--config`, else by `TANDEM_CONFIG`, else `tandem.toml` in the current folder, else
`/etc/tandem/tandem.toml`. Without any, embedded defaults serve the loopback interface: a listener `outside` on
127.0.0.1:5060, a listener `inside` on 127.0.0.1:5070, and a trunk `local` from 127.0.0.0/8 (access IDs of 4 digits,
sequence numbers of 8). Relative paths in a file start at the folder of that file.

**The environment** sets single keys: `TANDEM_SECTION__KEY`, or `TANDEM_LISTENERS__NAME__KEY` and
`TANDEM_TRUNKS__NAME__KEY`. Lists are written with commas, or as JSON: `TANDEM_MEDIA__CODECS=PCMU,PCMA`.
Secrets are best given this way.

**Mistakes** are all told at once, each with file and key; a key that is not known is a mistake.
`tandem check-config` only checks; `tandem check-config --show` also prints the configuration in force, secrets masked.

Names of listeners, trunks, their groups, laws, regions, sources and nodes have 1 to 40 of the
characters a-z, 0-9, `_` and `-`.
"""

_EXAMPLE = """\
## Example

```toml
{example}```
"""

EXAMPLE = """\
[node]
name = "sbc1"
data_dir = "/var/lib/tandem"

[listeners.carrier]                     # faces the trunk, behind address translation
side = "outside"
address = "10.0.0.5"
advertised_address = "203.0.113.5"
advertised_media_address = "203.0.113.5"

[listeners.office]                      # faces the agents' phones
side = "inside"
transport = "tcp"
address = "192.168.10.5"

[trunks.north]
listener = "carrier"
addresses = ["198.51.100.16/28"]
access_id_width = 4
sequence_width = 9
check_digit = "luhn"
country_code = "49"
national_prefix = "0"

[trunks.old_exchange]                   # a SIP-I trunk that calls in on the same address
listener = "carrier"
addresses = ["192.0.2.77"]
sources = ["isup-called", "isup-redirecting"]
access_id_width = 4
sequence_width = 8
rel100 = "required"

[calls]
default_route = "reception"

[law_profiles.us-strict]                # a campaign names it as its profile
base = "us"
cap = 0.02
attempts = ["3/24h", "7/7d"]

[law_regions.alaska]
laws = ["us", "us-strict"]
prefixes = ["+1907"]
hours = ["mon-sat 09:00-20:00"]
holidays = ["10-18 Alaska Day"]
"""
"A configuration that a test keeps free of mistakes."


def configuration_page() -> str:
    """The whole page, as Markdown."""
    parts = [_INTRODUCTION]
    for section, model in (*SECTIONS.items(), *TABLES.items()):
        title = f"{section}.NAME" if section in TABLES else section
        parts.append(f"## [{title}]\n\n{inspect.cleandoc(model.__doc__ or '')}\n\n{_table(model)}")
    parts.append(_EXAMPLE.format(example=EXAMPLE))
    return "\n".join(parts)


def _table(model: type[BaseModel]) -> str:
    rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    own = inspect.get_annotations(model)  # what a class has from its bases comes behind its own keys
    for key, field in sorted(model.model_fields.items(), key=lambda row: row[0] not in own):
        kind = _kind(field.annotation)
        limits = _limits(field)
        rows.append(f"| `{key}` | {kind}{limits} | {_default(field)} | {field.description} |")
    return "\n".join(rows) + "\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.get_default(call_default_factory=True)
    return "" if value is None else f"`{toml(value)}`"


def _kind(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(inner[0])
    if origin is Literal:
        return " or ".join(f"`{toml(value)}`" for value in inner)
    if origin is list:
        return f"list of {_kind(inner[0])}"
    if origin in (Union, type(int | None)):
        return _kind(next(kind for kind in inner if kind is not type(None)))
    names = {str: "text", int: "number", float: "number", bool: "true or false", SecretStr: "text, secret"}
    return names.get(annotation, "file")


def _limits(field: FieldInfo) -> str:
    found: dict[str, Any] = {}
    for metadata in (field.metadata, *(getattr(kind, "__metadata__", ()) for kind in get_args(field.annotation))):
        for limit in metadata:
            for part in getattr(limit, "metadata", [limit]):
                found |= {name: getattr(part, name) for name in ("ge", "gt", "le") if hasattr(part, name)}
    low = f"{found['ge']}" if "ge" in found else f"above {found['gt']}" if "gt" in found else ""
    return f", {low} to {found['le']:.0f}" if low and "le" in found else ""
