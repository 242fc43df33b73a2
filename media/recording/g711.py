"""G.711 (ITU-T G.711, tables 1 and 2) as linear samples: one look-up for a whole stretch of sound."""

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]

RATE = 8000
"Samples a second; RTP counts them as well (RFC 3551 4.5.14)."
PCMU, PCMA = 0, 8
"Payload types (RFC 3551, table 4): never anything else in our offers."


def _mu_law() -> Pcm:
    code = ~np.arange(256) & 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int16)


def _a_law() -> Pcm:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.int16)


_TABLES = {PCMU: _mu_law(), PCMA: _a_law()}


def decodes(payload_type: int) -> bool:
    """Whether it is one of the two."""
    return payload_type in _TABLES


def decode(payload_type: int, payload: bytes) -> Pcm:
    """The samples of one payload, or of several in a row."""
    return _TABLES[payload_type][np.frombuffer(payload, np.uint8)]
