"""The SIP engine: the only part of the server that touches pjsua2."""

from b2bua.sip.engine.cannot_call import CannotCall
from b2bua.sip.engine.endpoint import Engine
from b2bua.sip.engine.engine_metrics import follow_engine
from b2bua.sip.engine.profiles import phone_profile, trunk_profile
from b2bua.sip.engine.sipleg import SipLeg
from b2bua.sip.engine.tls import Certificates
from b2bua.sip.engine.values import Arriving, Headers, LegProfile, Outgoing, Refusal

__all__ = [
    "Arriving",
    "CannotCall",
    "Certificates",
    "Engine",
    "Headers",
    "LegProfile",
    "Outgoing",
    "Refusal",
    "SipLeg",
    "follow_engine",
    "phone_profile",
    "trunk_profile",
]
