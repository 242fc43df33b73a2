"""The whole configuration of one node, as a value."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from dialer.profiles import LawProfile
from routing.correlation import TrunkProfile

from .feature_codes import FeatureCodes
from .law import LawProfileTable, LawRegionTable, laws
from .monitoring import Monitoring
from .overload import Overload
from .phones import Phones
from .quality import Quality
from .recording import Recording
from .reports import Reports, Sms
from .screening import Screening
from .sections import Api, Calls, Events, Log, Media, Node, Storage
from .security import Security
from .sip import Listener, Trunk
from .sources import Source
from .speech import Speech
from .trace import Trace
from .transfers import Transfers
from .trunks import Dns, TrunkGroup

SECTIONS: dict[str, type[BaseModel]] = {
    "node": Node,
    "storage": Storage,
    "api": Api,
    "events": Events,
    "media": Media,
    "calls": Calls,
    "dns": Dns,
    "security": Security,
    "phones": Phones,
    "recording": Recording,
    "feature_codes": FeatureCodes,
    "transfers": Transfers,
    "monitoring": Monitoring,
    "screening": Screening,
    "overload": Overload,
    "quality": Quality,
    "trace": Trace,
    "speech": Speech,
    "reports": Reports,
    "sms": Sms,
    "log": Log,
}
"Tables that exist once."

TABLES: dict[str, type[BaseModel]] = {
    "listeners": Listener,
    "trunks": Trunk,
    "trunk_groups": TrunkGroup,
    "law_profiles": LawProfileTable,
    "law_regions": LawRegionTable,
    "sources": Source,
}
"Tables of tables: one entry for each name."

EMBEDDED_LISTENERS = {
    "outside": {"side": "outside", "address": "127.0.0.1", "port": 5060},
    "inside": {"side": "inside", "address": "127.0.0.1", "port": 5070},
}
"Used where the configuration has no listeners: the server then speaks on the loopback interface only."

EMBEDDED_TRUNKS = {"local": {"listener": "outside", "addresses": ["127.0.0.0/8"], "access_id_width": 4}}
"Used where the configuration has neither listeners nor trunks."


@dataclass(frozen=True, slots=True)
class Settings:
    """A configuration without mistakes. Made by `load`; nothing changes in it afterwards."""

    node: Node = field(default_factory=Node)
    listeners: dict[str, Listener] = field(default_factory=dict)
    trunks: dict[str, Trunk] = field(default_factory=dict)
    trunk_groups: dict[str, TrunkGroup] = field(default_factory=dict)
    law_profiles: dict[str, LawProfileTable] = field(default_factory=dict)
    law_regions: dict[str, LawRegionTable] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    storage: Storage = field(default_factory=Storage)
    api: Api = field(default_factory=Api)
    events: Events = field(default_factory=Events)
    media: Media = field(default_factory=Media)
    calls: Calls = field(default_factory=Calls)
    dns: Dns = field(default_factory=Dns)
    security: Security = field(default_factory=Security)
    phones: Phones = field(default_factory=Phones)
    recording: Recording = field(default_factory=Recording)
    feature_codes: FeatureCodes = field(default_factory=FeatureCodes)
    transfers: Transfers = field(default_factory=Transfers)
    monitoring: Monitoring = field(default_factory=Monitoring)
    screening: Screening = field(default_factory=Screening)
    overload: Overload = field(default_factory=Overload)
    quality: Quality = field(default_factory=Quality)
    trace: Trace = field(default_factory=Trace)
    speech: Speech = field(default_factory=Speech)
    reports: Reports = field(default_factory=Reports)
    sms: Sms = field(default_factory=Sms)
    log: Log = field(default_factory=Log)
    file: Path | None = None
    "The file it came from; None for the embedded defaults."

    def profiles(self) -> dict[str, TrunkProfile]:
        """Every trunk by its name, as the correlation knows it."""
        return {name: trunk.profile(name) for name, trunk in self.trunks.items()}

    def laws(self) -> dict[str, LawProfile]:
        """Every law that a campaign may name, built-in ones included."""
        return laws(self.law_profiles, self.law_regions)

    @property
    def phone_listeners(self) -> frozenset[str]:
        """Listeners on which phones register and show credentials when they call; none without a realm."""
        if not self.phones.realm:
            return frozenset()
        inside = (name for name, listener in self.listeners.items() if listener.side == "inside")
        return frozenset(self.phones.listeners or inside)

    @property
    def recordings(self) -> Path:
        """Folder of the recordings."""
        return self.recording.folder or self.node.data_dir / "recordings"

    @property
    def sounds(self) -> Path:
        """Folder of the sound files that menus name."""
        return self.speech.sounds or self.node.data_dir / "sounds"

    @property
    def messages(self) -> Path:
        """Folder of the messages that callers leave."""
        return self.node.data_dir / "messages"

    @property
    def database_url(self) -> str:
        """The database's URL with its password: give it to the driver, never to a log."""
        if self.storage.url is not None:
            return self.storage.url.get_secret_value()
        return f"sqlite:///{self.node.data_dir / 'tandem.db'}"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with the configuration, as one line for the operator."""

    where: str
    "The file, or the environment variable that set the value."
    key: str
    "Dotted path of the key; empty for the file as a whole."
    what: str
    "What is wrong and what would be right."

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.what) if part)


class SettingsError(Exception):
    """The configuration has mistakes: all that could be found at once."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes
