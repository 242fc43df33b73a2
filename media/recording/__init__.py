"""Recordings of calls: packets of all recorded legs in, one file of two channels for each call out."""

from media.recording.missed import rtp_clock
from media.recording.one import Leg, Order
from media.recording.sealed import BadSeal, Keys, Sealed
from media.recording.taps import TAPPED, Ear, Taps
from media.recording.writer import Began, Failed, Finished, News, Recorder

__all__ = [
    "TAPPED",
    "BadSeal",
    "Began",
    "Ear",
    "Failed",
    "Finished",
    "Keys",
    "Leg",
    "News",
    "Order",
    "Recorder",
    "Sealed",
    "Taps",
    "rtp_clock",
]
