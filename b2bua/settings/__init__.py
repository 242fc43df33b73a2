"""The configuration of a node: one TOML file, and the environment over it.

`load(find(None))` gives a `Settings` without mistakes, or raises `SettingsError` with all of them.
"""

from .checks import advice
from .feature_codes import FeatureCodes
from .load import find, load
from .model import Mistake, Settings, SettingsError
from .phones import Phones
from .recording import Recording
from .reports import Reports, Sms
from .sections import Api, Calls, Events, Log, Media, Node, Storage
from .security import Security
from .show import shown
from .sip import Listener, Trunk
from .speech import Speech

__all__ = [
    "Api",
    "Calls",
    "Events",
    "FeatureCodes",
    "Listener",
    "Log",
    "Media",
    "Mistake",
    "Node",
    "Phones",
    "Recording",
    "Reports",
    "Security",
    "Settings",
    "SettingsError",
    "Sms",
    "Speech",
    "Storage",
    "Trunk",
    "advice",
    "find",
    "load",
    "shown",
]
