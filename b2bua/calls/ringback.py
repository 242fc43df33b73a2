"""What the caller's side is told while a phone or a number rings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.sip.leg import Leg

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from b2bua.sip.signals import Progress


def pass_on(call: Session, caller: int | None, progress: Progress, sent: int) -> int:
    """Tell the caller what his phone should do: play its own ringback (180) or listen to us (183).

    Only what changes is told; `sent` is the last status told, 0 for none, and so is what comes back.  A 183 without SDP
    is ringing to the caller, for ours has SDP and he would hear nothing; behind early media it changes nothing.
    A caller whom we called gets the ringback from us.
    """
    if caller is None:
        return sent
    wanted = 183 if progress.early_media and call.has_offer else 180
    if wanted == sent or (wanted == 180 and progress.code != 180 and sent):
        return sent
    if call.picked_up or call.parties.state(caller) is Leg.UP:
        call.ring_back(wanted == 180)
    elif wanted == 183:
        call.legs[caller].progress()
    else:
        call.legs[caller].ring()
    return wanted
