"""What the dialogs of each trunk may use, from the settings."""

from b2bua.settings import Settings
from b2bua.sip.engine.values import LegProfile


def trunk_profile(settings: Settings, name: str) -> LegProfile:
    """Of one trunk."""
    trunk = settings.trunks[name]
    return LegProfile(
        trunk.rel100,
        trunk.session_timer,
        trunk.session_expires,
        trunk.min_se,
        settings.listeners[trunk.listener].srtp,
    )


def trunk_profiles(settings: Settings) -> dict[str, LegProfile]:
    """By the trunk's name."""
    return {name: trunk_profile(settings, name) for name in settings.trunks}
