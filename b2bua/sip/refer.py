"""A REFER in a call (RFC 3515, 5589): where its sender wants the other party to go.  Pure.

Read strictly: one target, INVITE and nothing else, and no header smuggled into what it asks for but Replaces.
"""

from dataclasses import dataclass
from typing import ClassVar

from b2bua.sip.header_values import Replaces, whole_number
from b2bua.sip.message import Message
from routing.address import MAX_ELEMENTS, Address, BadAddress, Uri, percent_decode, printable

CONTENT_TYPE = "message/sipfrag;version=2.0"


class BadRefer(ValueError):
    """A REFER that is answered with `code` and does nothing."""

    code: ClassVar[int] = 400


class UnwantedRefer(BadRefer):
    """It can be read, but asks for what nobody does for a phone."""

    code = 403


@dataclass(frozen=True, slots=True)
class Referral:
    """What a REFER asks for."""

    user: str
    "Whom to reach: an extension, a number, a name; without the parameters of a telephone-subscriber."
    host: str
    "Whose user that is, without the port and in lower case; empty for a tel URI."
    replaces: Replaces | None = None
    "The call of his whose other end is meant (attended); None: whoever has this number (blind)."
    referred_by: str = ""
    "The URI in Referred-By (RFC 3892), fit for records; nobody vouches for it."
    notify: bool = True
    "NOTIFYs shall tell what comes of it; False: none are wanted (RFC 4488)."
    number: int = 0
    "CSeq, which tells a second one from the first in the same call."
    here: str = ""
    "The host by which the sender knows us in this call."

    def __str__(self) -> str:
        return f"{self.user}{' (attended)' if self.replaces is not None else ''}"


def read_refer(message: Message) -> Referral:
    """Raises BadRefer."""
    targets = message.all("refer-to")
    if len(targets) != 1:
        raise BadRefer(f"{len(targets)} Refer-To headers")
    try:
        uri = Address.parse(targets[0]).parsed_uri()
    except BadAddress as error:
        raise BadRefer(f"Refer-To: {error}") from None
    if uri.parameters().get("method", "INVITE") != "INVITE":
        raise UnwantedRefer("Refer-To asks for another method than INVITE")
    user = uri.user.partition(";")[0]
    replaces = _replaces(uri)
    if not user and replaces is None:
        raise BadRefer("Refer-To names nobody")
    number, _, _ = (message.header("cseq") or "").strip().partition(" ")
    return Referral(
        printable(user),
        host_of_uri(uri),
        replaces,
        _referred_by(message),
        (message.header("refer-sub") or "").partition(";")[0].strip().lower() != "false",
        whole_number(number, 2**32) or 0,
        _here(message),
    )


def host_of_uri(uri: Uri) -> str:
    """The host without the port, an IPv6 address without brackets."""
    host = uri.host
    bare = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return bare.lower()


def sipfrag(code: int, phrase: str) -> bytes:
    """The body of a NOTIFY: the status line of what came of it (RFC 3420)."""
    return f"SIP/2.0 {code} {phrase}\r\n".encode()


def _replaces(uri: Uri) -> Replaces | None:
    """The call named in the URI's headers; these may hold Replaces, and that it must be understood, once each."""
    found: dict[str, str] = {}
    for part in uri.headers.split("&", MAX_ELEMENTS) if uri.headers else ():
        name, _, value = part.partition("=")
        name = percent_decode(name).strip().lower()
        if name in found or name not in ("replaces", "require"):
            raise UnwantedRefer("Refer-To carries a header")
        found[name] = percent_decode(value).strip()
    if found.get("require", "replaces").lower() != "replaces":
        raise UnwantedRefer("Refer-To requires an extension")
    if "replaces" not in found:
        if found:
            raise UnwantedRefer("Refer-To requires an extension")
        return None
    replaces = Replaces.parse(found["replaces"])
    if replaces is None:
        raise BadRefer("Replaces in Refer-To names no call")
    return replaces


def _here(message: Message) -> str:
    to = message.address("to")
    try:
        return host_of_uri(to.parsed_uri()) if to is not None else ""
    except BadAddress:
        return ""


def _referred_by(message: Message) -> str:
    value = message.header("referred-by")
    if value is None:
        return ""
    try:
        return printable(Address.parse(value).uri)
    except BadAddress:
        return ""
