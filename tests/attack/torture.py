"""A torture set of our own, after the classes of RFC 4475 and RFC 5118: what a parser must read, and what it must not.

Each message is sent by a trunk, so that nothing is refused for where it comes from. Sound but unusual requests must be
understood: an INVITE to a number that nobody has gets the 404 of the call logic, not a 400. Unsound ones get the status
that says what is wrong, or silence where no answer can be made.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.attack.requests import Torture
from tests.attack.torture_application import of_ipv6, of_the_application
from tests.attack.torture_parser import sound, unsound


def messages() -> Iterator[Torture]:
    """All of them."""
    yield from sound()
    yield from unsound()
    yield from of_the_application()
    yield from of_ipv6()
