"""What the dialogs of each trunk may use, from the settings."""

from b2bua.settings import Settings
from b2bua.sip.engine.values import LegProfile


def trunk_profiles(settings: Settings) -> dict[str, LegProfile]:
    """By the trunk's name."""
    return {
        name: LegProfile(
            trunk.rel100,
            trunk.session_timer,
            trunk.session_expires,
            trunk.min_se,
            settings.listeners[trunk.listener].srtp,
        )
        for name, trunk in settings.trunks.items()
    }
