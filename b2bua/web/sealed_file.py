"""An encrypted recording as its hearer gets it: decrypted piece by piece, by ranges (RFC 9110 14) where he asks so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from starlette.responses import Response, StreamingResponse

from media.recording import Keys, Sealed

PIECE = 16 * 16384
"Octets that are decrypted at a time."
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def asked_for(header: str | None, length: int) -> tuple[int, int] | None:
    """First octet and number of octets of a single range; None for the whole, also where the header is none of those.

    Raises ValueError where nothing of it is there.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match[1], match[2]
    if not first:
        begin = max(0, length - int(last))
        return begin, length - begin
    begin = int(first)
    end = min(length, int(last) + 1 if last else length)
    if begin >= end:
        raise ValueError(f"{length} octets are there")
    return begin, end - begin


def sealed_answer(path: Path, keys: Keys, name: str, media_type: str, wanted: str | None) -> Response:
    """On a helper thread.  Raises OSError, BadSeal."""
    with Sealed(path, keys) as found:
        length = found.length
        found.read(0, 1)
    headers = {"accept-ranges": "bytes", "content-disposition": f'attachment; filename="{name}"'}
    try:
        part = asked_for(wanted, length)
    except ValueError:
        return Response(status_code=416, headers={"content-range": f"bytes */{length}"})
    begin, size = part or (0, length)
    headers["content-length"] = str(size)
    if part is not None:
        headers["content-range"] = f"bytes {begin}-{begin + size - 1}/{length}"
    pieces = _pieces(path, keys, begin, size)
    return StreamingResponse(pieces, 200 if part is None else 206, headers, media_type)


def _pieces(path: Path, keys: Keys, at: int, size: int) -> Iterator[bytes]:
    with Sealed(path, keys) as found:
        while size > 0:
            piece = found.read(at, min(size, PIECE))
            yield piece
            at, size = at + len(piece), size - len(piece)
