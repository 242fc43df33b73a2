"""G.711 (ITU-T G.711) and tones with numpy: what a test needs to make sound and to recognise it."""

import math

import numpy as np
from numpy.typing import NDArray

RATE = 8000
"Samples a second of G.711."
FRAME = 160
"Samples in 20 ms."

Samples = NDArray[np.float64]
Pcm = NDArray[np.int16]

BLOCK = 640
"Samples (80 ms) over which a tone is measured in one go: a slip of the far end's clock spoils one block only."
SILENCE = 60.0
"Root mean square below which (of 32768) there is nothing to hear; -55 dB."


def _ulaw_table() -> Pcm:
    code = ~np.arange(256) & 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return np.where(code & 0x80, -size, size).astype(np.int16)


def _alaw_table() -> Pcm:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.int16)


def _encoder(table: Pcm) -> NDArray[np.uint8]:
    """For each of the 65,536 samples the code whose value is nearest."""
    order = np.argsort(table, kind="stable")
    values = table[order].astype(np.int32)
    samples = np.arange(-32768, 32768, dtype=np.int32)
    right = np.clip(np.searchsorted(values, samples), 1, 255)
    nearer_left = samples - values[right - 1] <= values[right] - samples
    return order[np.where(nearer_left, right - 1, right)].astype(np.uint8)


DECODE: dict[str, Pcm] = {"PCMU": _ulaw_table(), "PCMA": _alaw_table()}
_ENCODE = {name: _encoder(table) for name, table in DECODE.items()}


def encode(samples: Samples | Pcm, codec: str) -> bytes:
    """16-bit samples as G.711."""
    return _ENCODE[codec][np.clip(samples, -32768, 32767).astype(np.int32) + 32768].tobytes()


def decode(payload: bytes, codec: str) -> Pcm:
    """G.711 as 16-bit samples."""
    return DECODE[codec][np.frombuffer(payload, np.uint8)]


def tone(frequency: float, start: int, count: int, level: float = 8000.0, rate: int = RATE) -> Samples:
    """`count` samples of a sine with the phase of sample number `start`: frames made one by one join without click."""
    n = np.arange(start, start + count, dtype=np.float64)
    return level * np.sin(2 * math.pi * frequency * n / rate)


def key_tones(key: str) -> tuple[float, float]:
    """The two frequencies of a key (ITU-T Q.23)."""
    at = "123A456B789C*0#D".index(key)
    return (697.0, 770.0, 852.0, 941.0)[at // 4], (1209.0, 1336.0, 1477.0, 1633.0)[at % 4]


def loudness(samples: Pcm | Samples) -> float:
    """Root mean square, 0 to 32768."""
    return float(np.sqrt(np.mean(np.square(samples.astype(np.float64))))) if len(samples) else 0.0


def share(samples: Pcm | Samples, frequency: float, rate: int = RATE) -> float:
    """The share (0 to 1) of the energy at a frequency: Goertzel's measure over blocks of 80 ms, phases not joined.

    Silence, and less than one block, gives 0.
    """
    block = BLOCK * rate // RATE
    count = len(samples) // block
    if count == 0 or loudness(samples) < SILENCE:
        return 0.0
    blocks = np.asarray(samples[-count * block :], dtype=np.float64).reshape(count, block)
    turn = np.exp(-2j * math.pi * frequency * np.arange(block) / rate)
    found = float(np.sum(np.abs(blocks @ turn) ** 2)) * 2 / block
    total = float(np.sum(blocks**2))
    return min(found / total, 1.0) if total else 0.0


def strongest(samples: Pcm | Samples, rate: int = RATE) -> float:
    """The loudest frequency in Hz, to name what was heard instead; 0 for silence."""
    if len(samples) < BLOCK or loudness(samples) < SILENCE:
        return 0.0
    spectrum = np.abs(np.fft.rfft(np.asarray(samples, dtype=np.float64)))
    return float(np.argmax(spectrum[1:]) + 1) * rate / len(samples)
