"""REFER and Replaces at the edge: which leg they are about, and what the far end is told at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pjsua2 as pj

from b2bua.log import logger
from b2bua.sip.message import BadMessage, Message
from b2bua.sip.refer import BadRefer, read_refer
from b2bua.sip.signals import Refer

if TYPE_CHECKING:
    from b2bua.sip.engine.sipleg import SipLeg
    from b2bua.sip.header_values import Replaces

log = logger("sip")


class Refers:
    """`legs`: by Call-ID and whether we are the UAS; `fault`: a mistake of our own in here."""

    def __init__(self, legs: Mapping[tuple[str, bool], SipLeg], fault: Callable[[None, str, Exception], None]) -> None:
        self._legs, self._fault = legs, fault

    def decide(self, call_id: str, we_are_uas: bool, raw: bytes) -> tuple[int, bool]:
        """Inside PJSIP: the status for a REFER, and whether NOTIFYs will follow.  Where its target may be reached at
        all is the call's to say, by NOTIFY."""
        leg = self._legs.get((call_id, bool(we_are_uas)))
        if leg is None or not leg.owner or leg.code != 200 or leg.dropped:
            return 603, True
        try:
            referral = read_refer(Message.of(raw))
        except BadRefer as error:
            log.info("a REFER was refused", leg=leg.id, owner=leg.owner, why=str(error))
            return error.code, True
        except BadMessage:
            return 400, True
        except Exception as error:
            self._fault(None, "REFER", error)
            return 500, True
        asyncio.get_running_loop().call_soon(leg._tell, Refer(leg.id, referral))
        return 202, referral.notify

    def dialog_of(self, replaces: Replaces) -> SipLeg | None:
        """The leg whose dialog a peer names by Replaces: its own tag is the from-tag, ours the to-tag."""
        names = replaces.call_id, replaces.to_tag, replaces.from_tag
        if not all(name.isascii() for name in names):
            return None
        role = pj.tandem_dialog_role(*names)
        return None if role < 0 else self._legs.get((replaces.call_id, role == 1))
