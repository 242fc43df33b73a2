"""What a single value of the configuration may be: addresses, networks, names, codecs.

Each check refuses with one sentence that follows the key.
"""

import json
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

CODECS = ("PCMA", "PCMU", "G722", "G729", "OPUS", "GSM", "SPEEX")
"Codecs of our pjsua2 build, as pjsua names them in upper case."

_HOST_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_DIGITS = re.compile(r"[0-9]*")


class Section(BaseModel):
    """One table of the file: unknown keys are mistakes, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def no_truth_for_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """To Python `true` is the number 1; to a person who wrote it, it is not."""
        if isinstance(value, bool) and cls.model_fields[info.field_name or ""].annotation not in (bool, bool | None):
            raise ValueError(f"cannot be {str(value).lower()}")
        return value


def is_name(text: str) -> bool:
    """Names of listeners, trunks and nodes go into log lines, labels and variables, so they are short and plain."""
    return _NAME.fullmatch(text) is not None


def name(text: str) -> str:
    if not is_name(text):
        raise ValueError("must be 1 to 40 of a-z, 0-9, _ and -, and start with a letter or digit")
    return text


def address(text: str) -> str:
    """An IPv4 or IPv6 address in its canonical form."""
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        raise ValueError("must be an IP address such as 192.0.2.10 or 2001:db8::10") from None


def host(text: str) -> str:
    """An IP address or a host name."""
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        pass
    labels = text.rstrip(".").split(".")
    if len(text) > 253 or not all(map(_HOST_LABEL.fullmatch, labels)) or labels[-1].isdigit():
        raise ValueError("must be an IP address or a host name")
    return text


def host_port(text: str) -> str:
    """A host, or host:port, as it stands in a URI: an IPv6 address in brackets."""
    bare = text.endswith("]") or ":" not in text or (text.count(":") > 1 and not text.startswith("["))
    name_, _, port = (text, "", "") if bare else text.rpartition(":")
    if not bare and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise ValueError("must be a host, or host:port")
    found = host(name_)
    shown = f"[{found}]" if ":" in found else found
    return shown if bare else f"{shown}:{port}"


def network(text: str) -> str:
    """A network in CIDR form; a bare address is a network of one host."""
    try:
        return str(ip_network(text))
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f'"{text}" must be a network such as 192.0.2.0/24 or one address') from None
    raise ValueError(f'"{text}" has host bits set: write {meant}, or the address alone')


def is_network(text: str) -> bool:
    """Whether it is an address or a network, and not a name."""
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def place(text: str) -> str:
    """A network, an address, or a host name, whose addresses a name server knows."""
    try:
        return network(text)
    except ValueError:
        if "/" in text or not any(map(str.isalpha, text.rpartition(".")[2])):
            raise
    return host(text)


def digits(text: str) -> str:
    if not _DIGITS.fullmatch(text):
        raise ValueError("must be decimal digits only")
    return text


def codec(text: str) -> str:
    if text.upper() not in CODECS:
        raise ValueError(f'"{text}" is not a codec of this build: {", ".join(CODECS)}')
    return text.upper()


def items(value: Any) -> Any:
    """A list may come from the environment as JSON or as words between commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("starts like a JSON list but is none") from None
    return [word for word in (part.strip() for part in value.split(",")) if word]


def whole(value: Any) -> Any:
    """A number of a fixed few; the environment gives it as text."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def no_repeats(value: list[str]) -> list[str]:
    seen: set[str] = set()
    for item in value:
        if item in seen:
            raise ValueError(f'names "{item}" twice')
        seen.add(item)
    return value


Name = Annotated[str, AfterValidator(name)]
Address = Annotated[str, AfterValidator(address)]
Host = Annotated[str, AfterValidator(host)]
HostPort = Annotated[str, AfterValidator(host_port)]
Network = Annotated[str, AfterValidator(network)]
Digits = Annotated[str, AfterValidator(digits)]
Codec = Annotated[str, AfterValidator(codec)]
Port = Annotated[int, Field(ge=1, le=65535)]
FilePath = Annotated[Path, AfterValidator(Path.expanduser)]
Networks = Annotated[list[Network], BeforeValidator(items), AfterValidator(no_repeats)]
Places = Annotated[list[Annotated[str, AfterValidator(place)]], BeforeValidator(items), AfterValidator(no_repeats)]
Codecs = Annotated[list[Codec], BeforeValidator(items), AfterValidator(no_repeats), Field(min_length=1)]
