"""The one question we ask of an SDP ourselves: is there still audio in it (RFC 3264 section 8)?"""

MAX_SDP_LINES = 400


def audio_is_gone(offer: str) -> bool:
    """True for an offer inside a call that has no live audio line: T.38 instead of it, video alone, port 0.

    No offer at all (the far end asks for ours) keeps the audio.
    """
    lines = offer.replace("\r\n", "\n").split("\n", MAX_SDP_LINES)[:MAX_SDP_LINES]
    media = [line for line in lines if line.startswith("m=")]
    return bool(media) and not any(_live_audio(line) for line in media)


def _live_audio(line: str) -> bool:
    fields = line[2:].split()
    if len(fields) < 3 or fields[0] != "audio" or fields[1].partition("/")[0] == "0":
        return False
    return "RTP/" in fields[2]  # not at its beginning in UDP/TLS/RTP/SAVP
