"""The table of the configuration about agents' phones that register with us, and what they may dial."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from .values import Digits, Name, Networks, Section, items, no_repeats

Seconds = Annotated[int, Field(ge=10, le=86400)]
Algorithms = Annotated[
    list[Literal["MD5", "SHA-256"]], BeforeValidator(items), AfterValidator(no_repeats), Field(min_length=1)
]
Beginnings = Annotated[
    list[Annotated[str, Field(min_length=2, max_length=64)]], BeforeValidator(items), AfterValidator(no_repeats)
]


class Phones(Section):
    """Agents' phones that register with us (docs/phones.md)."""

    realm: Annotated[str, Field(pattern=r"^[A-Za-z0-9._ @-]{0,64}$")] = ""
    """Realm of their passwords, for example `phones.example.net`; without it no phone can register. Another realm makes
    every password that was set before useless."""
    listeners: Annotated[list[Name], BeforeValidator(items), AfterValidator(no_repeats)] = Field(default=[])
    "Listeners on which phones register and call; without it, all inside ones."
    algorithms: Algorithms = Field(default=["MD5", "SHA-256"])
    "Digest algorithms that phones are offered, in this order. Many phones read the first one only."
    md5_phones: Beginnings = Field(default=[])
    "Beginnings of the User-Agent of phones that are offered MD5 alone."
    nonce_lifetime: Seconds = 300
    "Seconds in which a phone may go on with the same nonce; then it is asked again."
    min_expires: Seconds = 60
    "Shortest registration, seconds; a phone that wants less is told so (423)."
    max_expires: Seconds = 3600
    "Longest registration, seconds; a phone that wants more gets this."
    contacts: Annotated[int, Field(ge=1, le=16)] = 5
    "Phones of one extension; one more takes the place of the one that would expire first."
    probe: Annotated[int, Field(ge=0, le=3600)] = 30
    "Seconds between two OPTIONS to a registered phone, which also keep address translation open; 0: none."
    proxies: Networks = Field(default=[])
    "Networks of SIP proxies that phones may register through (Path, RFC 3327); a Path from anywhere else is ignored."
    trunk: Name | None = None
    "Trunk, or group of trunks, over which phones dial numbers outside; without it they dial inside only."
    outside: Digits = ""
    "Digits to dial before a number outside; without any, every number that is nothing inside is one outside."
