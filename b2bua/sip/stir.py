"""What a call brings of the network's word on who calls (RFC 8224, ATIS-1000074): kept in its record."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from routing.address import BadAddress, Uri, printable

if TYPE_CHECKING:
    from b2bua.sip.message import Message

MOST_IDENTITIES = 4
LONGEST_TOKEN = 4096
CLAIMS = ("attest", "origid", "iat", "orig", "dest")


def identity_of(message: Message) -> dict[str, Any]:
    """`verstat` of From or P-Asserted-Identity, and what the Identity headers claim; empty where there is neither."""
    found: dict[str, Any] = {}
    verstat = _verstat(message, "p-asserted-identity") or _verstat(message, "from")
    if verstat:
        found["verstat"] = verstat
    claims = [_claims(value) for value in message.all("identity")[:MOST_IDENTITIES]]
    if claims:
        found["identity"] = claims
    return found


def _verstat(message: Message, header: str) -> str:
    if not any("verstat" in value for value in message.all(header)):
        return ""  # most calls have none, and are not taken apart for it
    address = message.address(header)
    if address is None:
        return ""
    said = address.parameters().get("verstat")
    if not said:
        try:
            uri = Uri.parse(address.uri)
        except BadAddress:
            return ""
        inside = uri.user.partition(";verstat=")[2] or uri.parameters().get("verstat", "")
        said = inside.partition(";")[0]
    return printable(said, 64)


def _claims(value: str) -> dict[str, Any]:
    """What the payload of a PASSporT says; its signature is not looked at."""
    token, _, parameters = value.partition(";")
    parts = token.strip().split(".")
    if len(parts) != 3 or len(token) > LONGEST_TOKEN:
        return {"unreadable": printable(token.strip(), 64)}
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {"unreadable": printable(token.strip(), 64)}
    found = {name: payload[name] for name in CLAIMS if name in payload} if isinstance(payload, dict) else {}
    kind = parameters.partition("ppt=")[2].partition(";")[0].strip('" ')
    return found | ({"ppt": printable(kind, 32)} if kind else {})
