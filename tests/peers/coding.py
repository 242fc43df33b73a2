"""Codecs beside G.711 for sound end points, none of them PJSIP's: ffmpeg's own G.722, GSM and G.729 decoder, libopus
and libbcg729 as they are."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from tests.peers import sound
from tests.peers.sound import Pcm

Payloads = list[bytes]


@dataclass(frozen=True, slots=True)
class Coding:
    """One codec."""

    name: str
    "As in SDP."
    rate: int
    "Samples a second of the sound that goes in and comes out."
    clock: int
    "Of its RTP timestamps."
    encode: Callable[[Pcm, int], Payloads]
    "Sound, and milliseconds in each packet."
    decode: Callable[[Sequence[bytes]], Pcm]
    "All payloads of a stream, from its beginning."


def _ffmpeg(data: bytes, *arguments: str) -> bytes:
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", *arguments, "-"]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def _pcm(data: bytes) -> Pcm:
    return np.frombuffer(data[: len(data) & ~1], "<i2")


def _slices(data: bytes, size: int) -> Payloads:
    return [data[at : at + size] for at in range(0, len(data) - size + 1, size)]


def _g711(name: str) -> Coding:
    return Coding(
        name,
        8000,
        8000,
        lambda pcm, ms: _slices(sound.encode(pcm, name), 8 * ms),
        lambda payloads: sound.decode(b"".join(payloads), name),
    )


def _g722_encode(pcm: Pcm, ms: int) -> Payloads:
    coded = _ffmpeg(pcm.astype("<i2").tobytes(), "-f", "s16le", "-ar", "16000", "-ac", "1", "-i", "-", "-f", "g722")
    return _slices(coded, 8 * ms)


def _g722_decode(payloads: Sequence[bytes]) -> Pcm:
    return _pcm(_ffmpeg(b"".join(payloads), "-f", "g722", "-i", "-", "-f", "s16le", "-ar", "16000", "-ac", "1"))


def _gsm_encode(pcm: Pcm, ms: int) -> Payloads:
    coded = _ffmpeg(pcm.astype("<i2").tobytes(), "-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "-", "-f", "gsm")
    return _slices(coded, 33 * ms // 20)


def _gsm_decode(payloads: Sequence[bytes]) -> Pcm:
    joined = b"".join(payloads)
    return _pcm(_ffmpeg(joined, "-c:a", "gsm", "-f", "gsm", "-i", "-", "-f", "s16le", "-ar", "8000", "-ac", "1"))


def _g729_encode(pcm: Pcm, ms: int) -> Payloads:
    library = ctypes.CDLL("libbcg729.so.0")
    library.initBcg729EncoderChannel.restype = ctypes.c_void_p
    channel = ctypes.c_void_p(library.initBcg729EncoderChannel(0))
    out, size, coded = (ctypes.c_uint8 * 10)(), ctypes.c_uint8(), b""
    for frame in np.asarray(pcm[: len(pcm) // 80 * 80], np.int16).reshape(-1, 80):
        library.bcg729Encoder(channel, (ctypes.c_int16 * 80)(*frame.tolist()), out, ctypes.byref(size))
        coded += bytes(out[: size.value])
    library.closeBcg729EncoderChannel(channel)
    return _slices(coded, ms)


def _g729_decode(payloads: Sequence[bytes]) -> Pcm:
    return _pcm(_ffmpeg(b"".join(payloads), "-f", "g729", "-i", "-", "-f", "s16le", "-ar", "8000", "-ac", "1"))


@cache
def _opus() -> ctypes.CDLL:
    library = ctypes.CDLL("libopus.so.0")
    library.opus_encoder_create.restype = library.opus_decoder_create.restype = ctypes.c_void_p
    return library


def _opus_encode(pcm: Pcm, ms: int) -> Payloads:
    library, error = _opus(), ctypes.c_int()
    encoder = ctypes.c_void_p(library.opus_encoder_create(48000, 1, 2048, ctypes.byref(error)))
    count, out, coded = 48 * ms, ctypes.create_string_buffer(4000), []
    for at in range(0, len(pcm) - count + 1, count):
        frame = np.ascontiguousarray(pcm[at : at + count], np.int16)
        size = library.opus_encode(encoder, frame.ctypes.data_as(ctypes.c_void_p), count, out, len(out))
        assert size > 0, f"libopus: {size}"
        coded.append(out.raw[:size])
    library.opus_encoder_destroy(encoder)
    return coded


def _opus_decode(payloads: Sequence[bytes]) -> Pcm:
    library, error = _opus(), ctypes.c_int()
    decoder = ctypes.c_void_p(library.opus_decoder_create(48000, 1, ctypes.byref(error)))
    room, pieces = np.zeros(5760, np.int16), []
    for payload in payloads:
        where = room.ctypes.data_as(ctypes.c_void_p)
        count = library.opus_decode(decoder, payload, len(payload), where, len(room), 0)
        assert count > 0, f"libopus: {count}"
        pieces.append(room[:count].copy())
    library.opus_decoder_destroy(decoder)
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


CODINGS = {
    "PCMU": _g711("PCMU"),
    "PCMA": _g711("PCMA"),
    "G722": Coding("G722", 16000, 8000, _g722_encode, _g722_decode),
    "GSM": Coding("GSM", 8000, 8000, _gsm_encode, _gsm_decode),
    "G729": Coding("G729", 8000, 8000, _g729_encode, _g729_decode),
    "opus": Coding("opus", 48000, 48000, _opus_encode, _opus_decode),
}
