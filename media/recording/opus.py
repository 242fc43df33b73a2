"""libopus by its C interface: a third of what libsndfile takes, which knows no complexity but the highest."""

import ctypes
import ctypes.util
from functools import cache

import numpy as np

from media.recording.g711 import Pcm

AUDIO = 2049
"OPUS_APPLICATION_AUDIO: the cheaper of its two coders, and the better one for two voices at once."
COMPLEXITY = 3
BITS = 24000
"Bits a second for both channels: 10.8 MB an hour."
FRAME = 0.06
"Seconds in a packet."
_SET_BITS, _SET_COMPLEXITY, _GET_LOOKAHEAD = 4002, 4010, 4027
_LONGEST = 4000
"Octets of a packet (opus_encode(3))."


class NoOpus(Exception):
    """The library is not there, or refuses."""


@cache
def library() -> ctypes.CDLL:
    """libopus.  Raises NoOpus."""
    name = ctypes.util.find_library("opus") or "libopus.so.0"
    try:
        found = ctypes.CDLL(name)
    except OSError as error:
        raise NoOpus(f"{name} cannot be loaded ({error}): install the Debian package libopus0") from None
    found.opus_encoder_create.restype = ctypes.c_void_p
    found.opus_encoder_create.argtypes = [ctypes.c_int32, ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_int)]
    found.opus_encode.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int32]
    found.opus_encoder_destroy.argtypes = [ctypes.c_void_p]
    return found


class Encoder:
    """Two channels of 16 bits in, packets out."""

    def __init__(self, rate: int) -> None:
        """Raises NoOpus; `rate`: 8000, 12000, 16000, 24000 or 48000."""
        self._library = library()
        status = ctypes.c_int()
        self._state = self._library.opus_encoder_create(rate, 2, AUDIO, ctypes.byref(status))
        if status.value or not self._state:
            raise NoOpus(f"libopus has no encoder for {rate} Hz: error {status.value}")
        for what, value in ((_SET_BITS, BITS), (_SET_COMPLEXITY, COMPLEXITY)):
            self._library.opus_encoder_ctl(ctypes.c_void_p(self._state), what, ctypes.c_int(value))
        ahead = ctypes.c_int()
        self._library.opus_encoder_ctl(ctypes.c_void_p(self._state), _GET_LOOKAHEAD, ctypes.byref(ahead))
        self.ahead = ahead.value
        "Samples that the encoder is behind."
        self.frame = round(rate * FRAME)
        self._packet = ctypes.create_string_buffer(_LONGEST)

    def encode(self, frame: Pcm) -> bytes:
        """One packet of `frame` samples of each channel, interleaved."""
        frame = np.ascontiguousarray(frame)
        size = self._library.opus_encode(self._state, frame.ctypes.data, self.frame, self._packet, _LONGEST)
        if size < 0:
            raise NoOpus(f"libopus did not encode: error {size}")
        return self._packet.raw[:size]

    def close(self) -> None:
        """Harmless when closed."""
        if self._state:
            self._library.opus_encoder_destroy(self._state)
            self._state = None
