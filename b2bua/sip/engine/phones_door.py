"""Between the gate and `Phones`: what waits there is decided, and probes go out to registered phones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pjsua2 as pj

from b2bua.log import logger
from b2bua.sip.bindings import Binding, Source
from b2bua.sip.engine.profiles import for_help, phone_profile
from b2bua.sip.engine.values import Arriving, LegProfile, Refusal
from b2bua.sip.phones import Admitted, Phones
from b2bua.sip.registrar import Reply

if TYPE_CHECKING:
    from b2bua.settings import Settings
    from b2bua.sip.engine.carriers import Carriers
    from b2bua.sip.engine.listeners import Listeners
    from b2bua.sip.engine.sipleg import SipLeg
    from b2bua.sip.gate import Asked, Gate
    from b2bua.sip.message import Message
    from b2bua.sip.owners import Owners

log = logger("phones")

NOBODY = "", False


class PhonesDoor:
    """One for each engine; does nothing on a node without phones that register."""

    def __init__(self, gate: Gate) -> None:
        self.phones: Phones | None = None
        "None: no phone registers here."
        self.owners: Owners | None = None
        "None: no phone has rules of its own."
        self._gate = gate
        self._listeners: Listeners | None = None
        self._carriers: Carriers | None = None
        self.owner_of: Callable[[Message], str] = lambda message: ""
        "The extension whose call a request in a dialog belongs to."
        self.shown: tuple[str, bool] = NOBODY
        "Whose INVITE PJSIP is given at this moment: extension, and whether it is an emergency."

    def open(self, listeners: Listeners, carriers: Carriers) -> None:
        """Once the sockets are open, and before the gate is told whom to ask about."""
        self._listeners, self._carriers = listeners, carriers
        if self.phones is None:
            return
        self._gate.decide = self.decide

    def decide(self, asked: Asked) -> None:
        """Answer it, or let it in: at once."""
        assert self.phones is not None
        assert self._listeners is not None
        listener = self._listeners.at(*asked.arrived_on)
        if listener is None:
            self._gate.drop(asked)
            return
        source = Source(listener, asked.arrived_on[0], asked.source, asked.source_port)
        match self.phones.decide(asked.method, source, asked.message, self.owner_of):
            case Reply() as reply:
                self._gate.answer(asked, reply.code, reply.headers, reply.phrase)
            case Admitted() as admitted:
                self.shown = admitted.extension, admitted.emergency
                try:
                    self._gate.admit(asked)
                finally:
                    self.shown = NOBODY
            case _:
                self._gate.drop(asked)

    def profile(self, settings: Settings, listener: str, source: str, message: Message) -> LegProfile:
        """What the dialog of this INVITE may use, which is no trunk's."""
        extension, emergency = self.shown
        agent = self.owners.of(extension, listener, source, message) if self.owners is not None else None
        found = phone_profile(settings, listener, agent)
        return for_help(settings, listener, found) if emergency else found

    def arriving(self, leg: SipLeg, what: Refusal) -> Arriving:
        """An INVITE that has become a leg, with what is known of its sender."""
        return Arriving(leg, what.message, what.listener, what.trunk, what.source, *self.shown)

    def probe(self, binding: Binding, uri: str, answered: Callable[[int], None]) -> None:
        """OPTIONS to a phone; `answered` gets the final status, 0 where none came."""
        if self._listeners is not None and self._carriers is not None:
            account = self._listeners.account(binding.source.listener, binding.source.address, LegProfile())
            self._carriers.ask(account, uri, answered)

    def behind(self, binding: Binding, on: bool) -> None:
        """A phone behind address translation is at this socket, or no longer."""
        status = pj.tandem_nat(binding.source.address, binding.source.port, int(on))
        if status:
            log.warning("a phone's address is not put right", extension=binding.extension, status=status)

    @staticmethod
    def seen(source: Source, seconds: float) -> None:
        """A phone is registered from there, for so long; 0: no longer.  The gate gives it a budget of its own."""
        status = pj.tandem_gate_phone(source.address, source.port, seconds)
        if status:
            log.warning("the gate takes a phone for a stranger", source=str(source), status=status)

    @staticmethod
    def fault(source: Source) -> None:
        """Somebody has shown a wrong password."""
        pj.tandem_gate_fault(source.address, "password")
