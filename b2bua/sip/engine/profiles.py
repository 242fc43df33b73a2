"""What the dialogs of each trunk, and of phones, may use, from the settings."""

from b2bua.settings import Settings
from b2bua.sip.engine.values import LegProfile


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


def phone_profile(settings: Settings, listener: str) -> LegProfile:
    """Of phones, and of anybody else who is no trunk."""
    face = settings.listeners[listener]
    return LegProfile(srtp=face.srtp, srtp_keys=tuple(face.srtp_keys))
