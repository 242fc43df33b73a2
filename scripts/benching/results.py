"""The results of all parts in one JSON file: a part that is measured again replaces its own."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .calls import CallRates
from .dialling import DiallingRates
from .events import EventTimes
from .floor import FloorTimes
from .gate import GateCosts
from .latency import SetupTimes
from .leak import Leaks
from .machine import Machine
from .media import MediaResult
from .media import from_json as media_from_json
from .pacing import PacingTimes
from .profile import Profile
from .registrar import RegistrarRates
from .stage import Kind

FILE = "results.json"


@dataclass(slots=True)
class Results:
    """What has been measured; None for a part that has not."""

    machines: dict[str, Machine] = field(default_factory=dict)
    "By part."
    calls: dict[Kind, CallRates] | None = None
    generator: float | None = None
    "Calls a second that the generator can do without a server."
    cpu_rate: float = 0.0
    "Calls a second at which processor time was measured."
    latency: dict[Kind, SetupTimes] | None = None
    latency_rate: float = 0.0
    media: MediaResult | None = None
    leak: Leaks | None = None
    events: EventTimes | None = None
    floor: FloorTimes | None = None
    pacing: PacingTimes | None = None
    dialling: DiallingRates | None = None
    registrar: RegistrarRates | None = None
    gate: GateCosts | None = None
    profile: Profile | None = None

    def save(self, folder: Path) -> Path:
        """Write them; the file."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / FILE
        file.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        return file


def load(folder: Path) -> Results:
    """What was saved there; empty results when nothing was."""
    file = folder / FILE
    if not file.exists():
        return Results()
    said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    results = Results(**said)
    results.machines = {part: Machine(**one) for part, one in said["machines"].items()}
    if said.get("calls"):
        results.calls = {kind: CallRates(**one) for kind, one in said["calls"].items()}
    if said.get("latency"):
        results.latency = {kind: SetupTimes(**one) for kind, one in said["latency"].items()}
    results.media = _sound(said.get("media"))
    if said.get("leak"):
        results.leak = Leaks(**said["leak"])
    if said.get("events"):
        results.events = EventTimes(**said["events"])
    if said.get("floor"):
        results.floor = FloorTimes(**said["floor"])
    if said.get("pacing"):
        results.pacing = PacingTimes(**said["pacing"])
    if said.get("dialling"):
        results.dialling = DiallingRates(**said["dialling"])
    if said.get("registrar"):
        results.registrar = RegistrarRates(**said["registrar"])
    if said.get("gate"):
        results.gate = GateCosts(**said["gate"])
    if said.get("profile"):
        results.profile = Profile(**said["profile"])
    return results


def _sound(said: dict[str, Any] | None) -> MediaResult | None:
    """None too for what an older version of the measurement has left: it is measured anew, not converted."""
    try:
        return media_from_json(said) if said else None
    except (KeyError, TypeError):
        return None
