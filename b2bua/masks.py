"""What must never be printed: in logs, in `check-config --show`, in error messages."""

import re
from typing import Any

MASK = "***"

SECRET_KEYS = frozenset(
    {"password", "secret", "bearer", "authorization", "proxy_authorization", "cookie", "credentials"}
    | {"api_key", "api_token"}
)
"Names of fields whose value is masked whatever it is."

_PASSWORD = re.compile(r"(://[^:/@\s]{0,200}:)[^@\s]{1,400}@")


def mask_url(text: str) -> str:
    """The same text, without the passwords of URLs in it."""
    return _PASSWORD.sub(rf"\g<1>{MASK}@", text) if "://" in text and "@" in text else text


def masked(key: str, value: Any) -> Any:
    """`value` as it may be printed under the name `key`."""
    if key.lower().replace("-", "_") in SECRET_KEYS:
        return MASK
    return mask_url(value) if isinstance(value, str) else value
