"""The tables of the configuration about databases that campaigns take their numbers from."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from .values import Section, items, no_repeats

_PARAMETER = re.compile(r"(?<![:\w]):batch\b")


def _query(text: str) -> str:
    if not re.match(r"\s*(select|with)\b", text, re.IGNORECASE):
        raise ValueError("must be a SELECT")
    if not _PARAMETER.search(text):
        raise ValueError("must have :batch where the id of the batch belongs")
    return text


def _url(secret: SecretStr) -> SecretStr:
    scheme, _, rest = secret.get_secret_value().partition("://")
    if not rest or not re.fullmatch(r"[a-z0-9]+(\+[a-z0-9]+)?", scheme):
        raise ValueError("must be a database URL such as postgresql://user:password@host/name")
    return secret


class Source(Section):
    """A database of the operator's that batches of numbers are fetched from: it is only read."""

    url: Annotated[SecretStr, AfterValidator(_url)]
    "Database: `postgresql://user:password@host/name`, `sqlite:///path`, or another whose driver is installed."
    query: Annotated[str, AfterValidator(_query)]
    "SELECT with `:batch` for the batch's id; its columns are named as those of a CSV file (docs/campaigns.md)."
    tenants: Annotated[list[str], BeforeValidator(items), AfterValidator(no_repeats)] = Field(default=[])
    "Tenants whose campaigns may fetch from it; none named: only those of keys that reach every tenant."
    timeout: Annotated[float, Field(gt=0, le=3600)] = 60
    "Seconds until the first rows, and between them."
