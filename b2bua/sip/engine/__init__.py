"""The SIP engine: the only part of the server that touches pjsua2."""

from b2bua.sip.engine.endpoint import CannotCall, Engine
from b2bua.sip.engine.sipleg import SipLeg
from b2bua.sip.engine.values import Arriving, Headers, LegProfile, Outgoing, Refusal

__all__ = ["Arriving", "CannotCall", "Engine", "Headers", "LegProfile", "Outgoing", "Refusal", "SipLeg"]
