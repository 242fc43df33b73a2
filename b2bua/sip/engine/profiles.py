"""What the dialogs of each trunk, and of phones, may use, from the settings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from b2bua.sip.engine.values import LegProfile

if TYPE_CHECKING:
    from b2bua.settings import Settings
    from routing.directory import Agent


def trunk_profiles(settings: Settings) -> dict[str, LegProfile]:
    """By the trunk's name."""
    return {name: trunk_profile(settings, name) for name in settings.trunks}


def trunk_profile(settings: Settings, name: str) -> LegProfile:
    """Of one trunk."""
    trunk = settings.trunks[name]
    listener = settings.listeners[trunk.listener]
    return LegProfile(
        trunk.rel100,
        trunk.session_timer,
        trunk.session_expires,
        trunk.min_se,
        listener.srtp if trunk.srtp is None else trunk.srtp,
        tuple(trunk.srtp_keys or listener.srtp_keys),
    )


def phone_profile(settings: Settings, listener: str, agent: Agent | None = None) -> LegProfile:
    """Of an agent's phone behind this listener; without `agent` of anybody else who is no trunk.

    A key that others could read is neither sent nor taken (RFC 4568 section 7).  Where no way is left, sound that may
    be encrypted goes in clear, and for sound that must be DTLS is all there is.
    """
    face = settings.listeners[listener]
    use, keys = face.srtp, tuple(face.srtp_keys)
    if agent is not None:
        use = use if agent.srtp is None else agent.srtp
        keys = agent.srtp_keys or keys
    unread = face.unread(keys)
    if use == "optional" and not unread:
        use = "off"
    return LegProfile(srtp=use, srtp_keys=keys if use == "off" else unread or ("dtls",))


def for_help(settings: Settings, listener: str, profile: LegProfile) -> LegProfile:
    """Of the same phone when it calls for help: in clear or not, nobody is turned away then."""
    unread = settings.listeners[listener].unread(profile.srtp_keys)
    return replace(profile, srtp="optional", srtp_keys=unread) if unread else replace(profile, srtp="off")


def answering(profile: LegProfile, offer: bytes) -> LegProfile:
    """As such a leg answers this offer.  Where encryption is optional, and by DTLS alone, an offer that knows nothing
    of it is answered in clear."""
    if profile.srtp == "optional" and "sdes" not in profile.srtp_keys and b"a=fingerprint:" not in offer.lower():
        return replace(profile, srtp="off")
    return profile
