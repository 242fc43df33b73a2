"""In which time zones a number can be: all of them, for hours must be open in each."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from phonenumbers import timezone
from phonenumbers.tzdata import TIMEZONE_DATA

from dialer.hours import clock_of

KNOWN_NUMBERS = 65_536
"Numbers whose zones are kept: each is asked for again with every retry."

AREA_CODE = 5
"Characters of a North American number up to its area code: `+1850`."
OVERLAYS = {
    "+1236": "+1250", "+1257": "+1250", "+1672": "+1250", "+1778": "+1250", "+1364": "+1270", "+1367": "+1418",
    "+1581": "+1418", "+1458": "+1541", "+1930": "+1812", "+1448": "+1850", "+1879": "+1709", "+1986": "+1208",
}  # fmt: skip
"Younger area codes for the same ground as an older one that lies in several zones."


def _area_codes() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for prefix, zones in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) >= AREA_CODE - 1:
            code = f"+{prefix}"[:AREA_CODE]
            found[code] = found.get(code, frozenset()).union(zones)
    return found


AREAS = _area_codes()
"Every zone that some number of an area code is in."


def ready() -> None:
    """Read everything that is known of numbers now: it would otherwise be read from disk during a call."""
    phonenumbers.PhoneMetadata.load_all()
    zones_of("+442079460000")


@lru_cache(KNOWN_NUMBERS)
def zones_of(number: str) -> frozenset[str]:
    """The possible time zones of an E.164 number; empty where they are not known.

    A number that belongs to no place (mobile, freephone) may be in every zone of its country code. In North America
    people take their number with them inside an area code, and mobiles have the same codes: all of its zones count,
    whatever the exchange. One zone that this machine does not know makes the whole answer unknown.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return frozenset()
    found = frozenset(timezone.time_zones_for_number(parsed))
    if timezone.UNKNOWN_TIMEZONE in found:
        return frozenset()
    area = number[:AREA_CODE]
    found = found.union(AREAS.get(area, frozenset()), AREAS.get(OVERLAYS.get(area, ""), frozenset()))
    return found if all(map(is_zone, found)) else frozenset()


def is_zone(name: str) -> bool:
    """Whether this machine knows a time zone of that name."""
    try:
        clock_of(name)
    except (OSError, ValueError, KeyError):  # what zoneinfo raises for names of folders, bad names and unknown ones
        return False
    return True


def possible_zones(number: str, *stated: str, stated_only: bool = False) -> frozenset[str]:
    """The zones in which it must be open: the number's, and those the owner states for number and contact.

    `stated_only`: where the owner states a zone, the number's own do not count. A stated zone that is not known makes
    the answer unknown; where nothing is stated the number alone decides.
    """
    told = frozenset(filter(None, stated))
    if not all(map(is_zone, told)):
        return frozenset()
    if told and stated_only:
        return told
    own = zones_of(number)
    return own | told if own else told
