"""REFER and Replaces at the edge: which leg they are about, and what the far end is told at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pjsua2 as pj

from b2bua.log import logger
from b2bua.sip.message import BadMessage, Message
from b2bua.sip.refer import BadRefer, read_refer
from b2bua.sip.signals import Refer

if TYPE_CHECKING:
    from b2bua.settings import Settings
    from b2bua.sip.engine.sipleg import SipLeg
    from b2bua.sip.header_values import Replaces
    from b2bua.sip.phones import Phones
    from b2bua.sip.trunks import TrunkTable

log = logger("sip")


class Refers:
    """`legs`: by Call-ID and whether we are the UAS; `speaks_for`: whether requests of a leg's owner may come from an
    address that the leg is not at; `fault`: a mistake of our own in here."""

    def __init__(
        self,
        legs: Mapping[tuple[str, bool], SipLeg],
        speaks_for: Callable[[str, str], bool],
        fault: Callable[[None, str, Exception], None],
    ) -> None:
        self._legs, self._speaks_for, self._fault = legs, speaks_for, fault

    def decide(self, call_id: str, we_are_uas: bool, source: str, raw: bytes) -> tuple[int, bool]:
        """Inside PJSIP: the status for a REFER, and whether NOTIFYs will follow.  Where its target may be reached at
        all is the call's to say, by NOTIFY."""
        leg = self._legs.get((call_id, bool(we_are_uas)))
        if leg is None or not leg.owner or leg.code != 200 or leg.dropped:
            return 603, True
        try:
            if source != leg.source and not self._speaks_for(leg.owner, source):  # the tags alone are no secret
                log.warning("a REFER came from elsewhere", leg=leg.id, owner=leg.owner, source=source, at=leg.source)
                return 403, True
            referral = read_refer(Message.of(raw))
        except BadRefer as error:
            log.info("a REFER was refused", leg=leg.id, owner=leg.owner, why=str(error))
            return error.code, True
        except BadMessage:
            return 400, True
        except Exception as error:
            self._fault(None, "REFER", error)
            return 500, True
        leg.tell_later(Refer(leg.id, referral))
        return 202, referral.notify

    def dialog_of(self, replaces: Replaces) -> SipLeg | None:
        """The leg whose dialog a peer names by Replaces: its own tag is the from-tag, ours the to-tag."""
        return self._leg(replaces.call_id, replaces.to_tag, replaces.from_tag)

    def owner_of(self, request: Message) -> str:
        """Whose leg a request in a dialog belongs to; empty: nobody's."""
        leg = self._leg(request.header("call-id") or "", request.tag("to"), request.tag("from"))
        return leg.owner if leg is not None else ""

    def _leg(self, *names: str) -> SipLeg | None:
        """By Call-ID, our tag and the peer's."""
        if not all(name.isascii() for name in names):
            return None
        role = pj.tandem_dialog_role(*names)
        return None if role < 0 else self._legs.get((names[0], role == 1))


def speaks_for(owner: str, source: str, settings: Settings, table: TrunkTable, phones: Phones | None) -> bool:
    """Whether an address is one of its owner's: a trunk's networks; for an agent a proxy of ours, or any phone of his
    that is registered now."""
    if owner.startswith("trunk "):
        name = owner.removeprefix("trunk ")
        trunk = settings.trunks.get(name)
        return trunk is not None and name in table.trunks_at(trunk.listener, source)
    if any(ip_address(source) in ip_network(one) for one in settings.phones.proxies):
        return True
    return phones is not None and phones.is_at(owner, source)
