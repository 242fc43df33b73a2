"""URLs with places in braces, as operators write them for tenants' systems: checked at load, filled for each call."""

import re
from collections.abc import Container, Mapping
from urllib.parse import quote, urlsplit, urlunsplit

MAX_URL = 2048
_BRACED = re.compile(r"\{([^{}]{0,40})\}")


def url_mistakes(url: str, names: Container[str]) -> list[str]:
    """What is wrong with a URL, nothing when it can be used. For configuration, so all at once.

    `names` may stand in braces in the path and the query.
    """
    if len(url) > MAX_URL:
        return [f"longer than {MAX_URL} characters"]
    if not url.isascii() or any(c.isspace() or not c.isprintable() for c in url):
        return ["only printable ASCII characters are allowed (percent-encode the others)"]
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as e:
        return [str(e)]
    mistakes = []
    if parts.scheme not in ("http", "https"):
        mistakes.append("must begin with http:// or https://")
    if not parts.hostname:
        mistakes.append("has no host")
    if parts.username is not None or parts.password is not None:
        mistakes.append("must not carry a user or password: put it into `secret`")
    if "{" in parts.netloc or "}" in parts.netloc:
        mistakes.append("may have braces in its path and query only")
    return mistakes + text_mistakes(parts.path + "?" + parts.query, names)


def text_mistakes(text: str, names: Container[str]) -> list[str]:
    """What is wrong with the places of a text."""
    mistakes = [f"unknown name {{{name}}}" for name in dict.fromkeys(_BRACED.findall(text)) if name not in names]
    if "{" in (left := _BRACED.sub("", text)) or "}" in left:
        mistakes.append("has a brace without its partner")
    return mistakes


def places(text: str) -> list[str]:
    """The names in braces, in order."""
    return list(dict.fromkeys(_BRACED.findall(text)))


def fill_url(url: str, values: Mapping[str, str]) -> str:
    """The URL with the values percent-encoded in place of their names, and without its fragment."""
    parts = urlsplit(url)

    def fill(text: str) -> str:
        return _BRACED.sub(lambda braced: quote(values[braced[1]], safe=""), text)

    return urlunsplit((parts.scheme, parts.netloc, fill(parts.path) or "/", fill(parts.query), ""))


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """The text with the values as they are in place of their names."""
    return _BRACED.sub(lambda braced: values[braced[1]], text)
