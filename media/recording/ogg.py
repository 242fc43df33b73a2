"""Ogg pages with Opus in them (RFC 3533, RFC 7845): written in one go, readable up to the last whole page."""

import struct
import zlib
from collections.abc import Callable

RATE = 48000
"What Opus counts its time in, whatever was put in."
_HEAD = struct.Struct("<4sBBqIIIB")
_TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def checksum(page: bytes) -> int:
    """CRC-32 as Ogg has it: most significant bit first, begun with 0 (RFC 3533 6).  zlib's is the other way round."""
    turned = zlib.crc32(page.translate(_TURNED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{turned:032b}"[::-1], 2)


class OggOpus:
    """One stream.  `put` takes each page as it is full."""

    PAGE = 1.0
    "Seconds of sound in a page: what a crash costs at most."

    def __init__(self, put: Callable[[bytes], None], *, serial: int, rate: int, channels: int, skip: int) -> None:
        """`rate`: of what was recorded, for information; `skip`: samples (48 kHz) that the encoder begins too early."""
        self._put, self._serial, self._skip = put, serial, skip
        self._pages = 0
        self._packets: list[bytes] = []
        self._ends = 0
        "Samples (48 kHz) up to the end of the last packet."
        self._written = 0
        self._page(struct.pack("<8sBBHIhB", b"OpusHead", 1, channels, skip, rate, 0, 0), 0, 2)
        vendor = b"Tandem"
        self._page(struct.pack("<8sI", b"OpusTags", len(vendor)) + vendor + bytes(4), 0, 0)

    def packet(self, packet: bytes, samples: int) -> None:
        """One packet of so many samples (48 kHz)."""
        if sum(len(one) // 255 + 1 for one in self._packets) + len(packet) // 255 + 1 > 255:
            self.flush()
        self._packets.append(packet)
        self._ends += samples
        if self._ends - self._written >= self.PAGE * RATE:
            self.flush()

    def flush(self, end: int | None = None) -> None:
        """Write what there is as a page; `end`: it is the last one, and the sound ends at this sample (48 kHz)."""
        if not self._packets and end is None:
            return
        laces = b"".join(b"\xff" * (len(one) // 255) + bytes([len(one) % 255]) for one in self._packets)
        granule = self._ends if end is None else min(self._ends, end + self._skip)
        body, self._packets, self._written = b"".join(self._packets), [], self._ends
        self._page(body, granule, 0 if end is None else 4, laces)

    def _page(self, body: bytes, granule: int, flags: int, laces: bytes | None = None) -> None:
        if laces is None:
            laces = b"\xff" * (len(body) // 255) + bytes([len(body) % 255])

        def head(crc: int) -> bytes:
            return _HEAD.pack(b"OggS", 0, flags, granule, self._serial, self._pages, crc, len(laces))

        crc = checksum(head(0) + laces + body)
        self._put(head(crc) + laces + body)
        self._pages += 1
