"""Session descriptions (RFC 8866): written for our own peers, read from what the other side sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field

CODECS = {
    "PCMU": (0, "PCMU/8000"),
    "PCMA": (8, "PCMA/8000"),
    "G722": (9, "G722/8000"),
    "G729": (18, "G729/8000"),
    "GSM": (3, "GSM/8000"),
    "CN": (13, "CN/8000"),
    "opus": (96, "opus/48000/2"),
    "AMR": (98, "AMR/8000"),
    "AMR-WB": (99, "AMR-WB/16000"),
}
"Name -> (payload type we use for it, rtpmap)."

EVENTS = 101
"Our payload type of telephone-event (RFC 4733)."

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


@dataclass(slots=True)
class Media:
    """One m= section."""

    kind: str
    port: int
    protocol: str
    formats: list[str]
    lines: list[str] = field(default_factory=list)
    "The lines below the m= line, without line ends."
    connection: str = ""
    "Address of its own c= line, else the session's."
    session_direction: str = "sendrecv"

    def attributes(self, name: str) -> list[str]:
        """Values of the a=name lines; a flag without value gives an empty string."""
        found = []
        for line in self.lines:
            if line == f"a={name}":
                found.append("")
            elif line.startswith(f"a={name}:"):
                found.append(line.partition(":")[2])
        return found

    @property
    def direction(self) -> str:
        return next((d for d in DIRECTIONS if self.attributes(d)), self.session_direction)

    @property
    def codecs(self) -> dict[int, str]:
        """Payload type -> encoding name (upper case), in order of preference."""
        named = {number: name.partition("/")[0] for name, (number, _) in CODECS.items()}
        for line in self.attributes("rtpmap"):
            number, _, name = line.partition(" ")
            if number.isdigit():
                named[int(number)] = name.partition("/")[0]
        return {int(f): named.get(int(f), "?").upper() for f in self.formats if f.isdigit()}

    def payload_type(self, codec: str) -> int | None:
        """The number this side gave a codec, None when it is not offered."""
        return next((number for number, name in self.codecs.items() if name == codec.upper()), None)


@dataclass(slots=True)
class Sdp:
    """One description as it was received."""

    origin: str
    connection: str
    media: list[Media]
    text: str

    @property
    def audio(self) -> Media:
        """The first audio section; AssertionError when there is none."""
        for section in self.media:
            if section.kind == "audio":
                return section
        raise AssertionError(f"no audio in\n{self.text}")

    @property
    def address(self) -> tuple[str, int]:
        """Where it wants its audio."""
        return self.audio.connection, self.audio.port

    @property
    def version(self) -> str:
        """The session version of the o= line."""
        return [*self.origin.split(), "", "", ""][2]

    @classmethod
    def parse(cls, body: bytes) -> "Sdp":
        """Read a description leniently; unknown lines are kept with their section."""
        text = body.decode("utf-8", "replace")
        origin = session_connection = ""
        direction = "sendrecv"
        media: list[Media] = []
        for line in text.splitlines():
            kind, _, value = line.partition("=")
            if kind == "m":
                words = value.split()
                port = words[1].partition("/")[0]
                media.append(Media(words[0], int(port), words[2], words[3:], [], session_connection, direction))
            elif media:
                media[-1].lines.append(line)
                if kind == "c":
                    media[-1].connection = value.split()[-1].partition("/")[0]
            elif kind == "o":
                origin = value
            elif kind == "c":
                session_connection = value.split()[-1].partition("/")[0]
            elif kind == "a" and value in DIRECTIONS:
                direction = value
        return cls(origin, session_connection, media, text)


def write(
    address: str,
    port: int,
    *,
    codecs: Sequence[str] = ("PCMA", "PCMU"),
    direction: str | None = None,
    c: str | None = None,
    events: bool = True,
    origin: str | None = None,
    version: int = 1,
    session: int = 1,
    extra: Sequence[str] = (),
    audio: bool = True,
    more_media: Sequence[str] = (),
) -> bytes:
    """A description with one audio section.

    `c` is the address of the c= line when it shall differ (0.0.0.0 for old-style hold), `extra` are lines added to the
    audio section, `more_media` are whole further sections (see VIDEO and T38), `audio=False` leaves audio out.
    """
    family = "IP6" if ":" in address else "IP4"
    lines = [
        "v=0",
        f"o={origin or 'peer'} {session} {version} IN {family} {address}",
        "s=-",
        f"c=IN {family} {c or address}",
        "t=0 0",
    ]
    if audio:
        numbers = [CODECS[name][0] for name in codecs]
        formats = " ".join(str(n) for n in [*numbers, *([EVENTS] if events else [])])
        lines.append(f"m=audio {port} RTP/AVP {formats}")
        lines += [f"a=rtpmap:{CODECS[name][0]} {CODECS[name][1]}" for name in codecs]
        if events:
            lines += [f"a=rtpmap:{EVENTS} telephone-event/8000", f"a=fmtp:{EVENTS} 0-16"]
        lines.append("a=ptime:20")
        if direction:
            lines.append(f"a={direction}")
        lines += extra
    lines += more_media
    return ("\r\n".join(lines) + "\r\n").encode()


VIDEO = ("m=video 40000 RTP/AVP 99", "a=rtpmap:99 H264/90000", "a=fmtp:99 profile-level-id=42e01f")
"A video section a phone might add."

T38 = ("m=image 40002 udptl t38", "a=T38FaxVersion:0", "a=T38MaxBitRate:14400", "a=T38FaxRateManagement:transferredTCF")
"A fax section, as a fax machine's re-INVITE has it."

MIRROR = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


def answer(
    offer: Sdp,
    address: str,
    port: int,
    *,
    codecs: Sequence[str] = ("PCMA", "PCMU"),
    direction: str | None = None,
    version: int = 1,
) -> bytes:
    """The answer to an offer (RFC 3264): its payload numbers, its order of sections; what is not audio is refused.

    The direction mirrors the offer's unless one is given. AssertionError when no codec is common.
    """
    family = "IP6" if ":" in address else "IP4"
    lines = ["v=0", f"o=peer 1 {version} IN {family} {address}", "s=-", f"c=IN {family} {address}", "t=0 0"]
    taken = False
    for section in offer.media:
        ours = {name.upper() for name in codecs}
        known = {number: name for number, name in section.codecs.items() if name in ours}
        if section.kind != "audio" or taken or section.port == 0:
            lines.append(f"m={section.kind} 0 {section.protocol} {' '.join(section.formats)}")
            continue
        assert known, f"no common codec in\n{offer.text}"
        taken = True
        events = section.payload_type("telephone-event")
        numbers = [*known, *([] if events is None else [events])]
        lines.append(f"m=audio {port} {section.protocol} {' '.join(map(str, numbers))}")
        own = dict(value.split(" ", 1) for value in section.attributes("rtpmap") if " " in value)
        lines += [f"a=rtpmap:{number} {own.get(str(number), f'{name}/8000')}" for number, name in known.items()]
        if events is not None:
            lines += [f"a=rtpmap:{events} telephone-event/8000", f"a=fmtp:{events} 0-16"]
        held = section.connection in ("0.0.0.0", "::")
        lines.append(f"a={direction or ('inactive' if held else MIRROR[section.direction])}")
    return ("\r\n".join(lines) + "\r\n").encode()
