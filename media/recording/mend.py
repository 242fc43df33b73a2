"""Recordings that a crash cut off: they get their lengths, and their index says why they end where they do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from media import wav
from media.recording import index, sealed
from media.recording.files import WAV_HEAD, wav_sizes
from media.recording.sealed import Keys

CRASHED = "the server went down"


def mend(folder: Path, data: dict[str, Any], keys: Keys | None) -> None:
    """Finish the file that this index tells of.  Raises OSError, BadSeal (NoKey where we have none for it)."""
    path = folder / str(data["file"])
    form = str(data["format"])
    if data["encrypted"]:
        if keys is None:
            raise sealed.NoKey("it is sealed, and there is no key file")
        first = sealed.mend(path, keys)
        with sealed.Sealed(path, keys) as found:
            size, last = found.length, found.read(max(0, found.length - ENOUGH))
        if form == "wav" and len(first) >= WAV_HEAD:
            whole = bytearray(first)
            for at, value in wav_sizes(size - WAV_HEAD):
                whole[at : at + 4] = value
            sealed.put_first(path, keys, bytes(whole))
    else:
        if form == "wav":
            wav.mend(path)
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size - ENOUGH))
            last = file.read()
    rate = int(data["rate"])
    data["seconds"] = round(max(0, size - WAV_HEAD) / (4 * rate) if form == "wav" else _granule(last) / 48000, 3)
    data["cut_off"] = data["cut_off"] or CRASHED
    data["size"] = path.stat().st_size
    data["sha256"] = index.checksum(path)
    data["complete"] = True
    index.write(folder, str(data["call"]), data)


ENOUGH = 70_000
"Octets in which the last page of an Ogg file must begin."


def _granule(end: bytes) -> int:
    """How far the last whole page says that the sound goes (RFC 3533 6)."""
    at = end.rfind(b"OggS")
    return max(0, int.from_bytes(end[at + 6 : at + 14], "little", signed=True)) if at >= 0 else 0
