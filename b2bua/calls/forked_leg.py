"""One leg to several phones of the same agent: they ring together, or one group after the other, and one wins.

To its call it is a leg like any other; the phones' own legs are behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from b2bua.sip.engine import CannotCall, Headers, Outgoing, SipLeg
from b2bua.sip.key_ways import Way
from b2bua.sip.signals import Answered, Closed, Progress, Signal
from b2bua.sip.signals import Sound as Heard

if TYPE_CHECKING:
    from b2bua.sip.engine import Engine

ELSEWHERE: Headers = (("Reason", 'SIP;cause=200;text="Call completed elsewhere"'),)
"What the other phones are told, so that they do not show a missed call (RFC 3326)."
NO_ANSWER = (408, 480, 503)
"Statuses that say less than any other phone's."


class ForkedLeg(SipLeg):
    """`groups`: INVITEs that go out together; the next group follows when all of one have failed."""

    __slots__ = ("_failed", "_groups", "_heard", "_phones", "_winner")

    def __init__(
        self, engine: Engine, groups: Sequence[Sequence[Outgoing]], sink: Callable[[Signal], None], owner: str
    ) -> None:
        """Raises CannotCall where no INVITE can be sent at all."""
        super().__init__(engine, engine.number())
        self.sink, self.owner = sink, owner
        self._groups = [list(group) for group in groups]
        self._phones: list[SipLeg] = []
        "Those that may still win; the winner alone afterwards."
        self._winner: SipLeg | None = None
        self._heard: dict[int, Heard] = {}
        self._failed: list[Closed] = []
        error = self._next_group()
        if error is not None:
            raise error
        first = self._phones[0]
        self.sip_call_id, self.source = first.sip_call_id, first.source

    def __repr__(self) -> str:
        return f"<leg {self.id} to {len(self._phones)} phones, {'won' if self._winner else 'open'}>"

    @property
    def alive(self) -> bool:
        return bool(self._phones)

    def hang_up(self, code: int = 0, headers: Headers = ()) -> bool:
        if self.dropped or not self._phones:
            return False
        self.dropped = True
        self._groups.clear()
        for phone in list(self._phones):
            phone.hang_up(code, headers)
        return True

    @property
    def keys_sent_as(self) -> Way:
        return self._winner.keys_sent_as if self._winner is not None else ""

    @property
    def keys_are_tones(self) -> bool:
        return self._winner is not None and self._winner.keys_are_tones

    def send_dtmf(self, digit: str) -> Way:
        return self._winner.send_dtmf(digit) if self._winner is not None else ""

    def native_id(self) -> int:
        return self._winner.native_id() if self._winner is not None else -1

    def notify(self, code: int, phrase: str, *, final: bool, number: int = 0) -> bool:
        winner = self._winner
        return winner.notify(code, phrase, final=final, number=number) if winner is not None else False

    @property
    def under(self) -> SipLeg:
        return self._winner.under if self._winner is not None else self

    @property
    def trying(self) -> bool:
        return any(phone.trying for phone in self._phones)

    def _next_group(self) -> CannotCall | None:
        """Ring the next phones; what went wrong where there are none that can be rung."""
        error: CannotCall | None = None
        while self._groups and not self._phones:
            for out in self._groups.pop(0):
                try:
                    phone = self._engine.open(out, self._on)
                except CannotCall as failed:
                    error = failed
                else:
                    phone.owner = self.owner
                    self._phones.append(phone)
        return None if self._phones else error or CannotCall("no phone is left to ring", ours=False)

    def _on(self, signal: Signal) -> None:
        """What one of the phones told."""
        phone = next((one for one in self._phones if one.id == signal.leg), None)
        if phone is None:
            return  # it has lost
        if phone is self._winner:
            self._of_winner(signal)
            return
        match signal:
            case Progress():
                self._tell(replace(signal, leg=self.id, early_media=False))  # whose would be heard?
            case Heard():
                self._heard[phone.id] = signal
            case Answered():
                self._won(phone)
            case Closed():
                self._lost(phone, signal)
            case _:
                pass

    def _of_winner(self, signal: Signal) -> None:
        if isinstance(signal, Closed):
            self._phones.clear()
            self.quality, self.code = signal.quality, signal.code
        self._tell(replace(signal, leg=self.id))

    def _won(self, phone: SipLeg) -> None:
        others = [one for one in self._phones if one is not phone]
        self._winner, self._phones = phone, [phone]
        self._groups.clear()
        self.sip_call_id, self.source, self.code = phone.sip_call_id, phone.source, 200
        for other in others:
            other.hang_up(487, ELSEWHERE)
        heard = self._heard.get(phone.id)
        if heard is not None:
            self._tell(replace(heard, leg=self.id))
        self._tell(Answered(self.id))

    def _lost(self, phone: SipLeg, closed: Closed) -> None:
        self._phones.remove(phone)
        self._failed.append(closed)
        self.redirected = self.redirected or phone.redirected
        if self._phones or (not self.dropped and self._next_group() is None):
            return
        # one who refused says more than one who was not there; 6xx is for all of them (RFC 3261 16.7)
        best = min(self._failed, key=lambda one: (one.local, one.code < 600, one.code in NO_ANSWER, one.code))
        self.code = best.code
        if not 300 <= best.code < 400:
            self.redirected = ()
        self._tell(replace(best, leg=self.id))
