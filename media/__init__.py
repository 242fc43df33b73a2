"""Sound: play, collect, bridge, tap, record behind one small interface.  What carries it is behind `ports.Back`."""

from media.collect import Collected, Limits, Why, collect
from media.pairs import Bridge, bridge
from media.path import Decision, Reason, Way, Who
from media.playing import Playing, Recording
from media.ports import Ending, Line, SoundError, Source
from media.sound import Desk, Sound
from media.tap import Tap
from media.tones import BEEP, BUSY, CONGESTION, RINGBACK, Cadence, Tone

__all__ = [
    "BEEP",
    "BUSY",
    "CONGESTION",
    "RINGBACK",
    "Bridge",
    "Cadence",
    "Collected",
    "Decision",
    "Desk",
    "Ending",
    "Limits",
    "Line",
    "Playing",
    "Reason",
    "Recording",
    "Sound",
    "SoundError",
    "Source",
    "Tap",
    "Tone",
    "Way",
    "Who",
    "Why",
    "bridge",
    "collect",
]
