"""The configuration in force, as TOML, with every secret masked."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from b2bua.masks import MASK, mask_url

from .model import SECTIONS, TABLES, Settings


def shown(settings: Settings) -> str:
    """TOML that gives the same configuration again, but for the secrets in it. Keys without a value are left out."""
    lines: list[str] = []
    for section in SECTIONS:
        lines += [f"[{section}]", *_keys(getattr(settings, section)), ""]
    for section in TABLES:
        for name, entry in getattr(settings, section).items():
            lines += [f"[{section}.{name}]", *_keys(entry), ""]
    return "\n".join(lines)


def _keys(section: BaseModel) -> list[str]:
    values = ((key, getattr(section, key)) for key in type(section).model_fields)
    return [f"{key} = {toml(value)}" for key, value in values if value is not None]


def toml(value: Any) -> str:
    """One value as TOML. Secrets lose what is secret: the password in a URL, else all."""
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        return toml(mask_url(text) if "://" in text else MASK)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, str | Path):
        # JSON's escapes are a subset of those of a basic TOML string.
        return json.dumps(str(value), ensure_ascii=False)
    return str(value)
