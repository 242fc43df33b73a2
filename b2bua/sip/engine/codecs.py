"""Which codecs the legs of each trunk and listener speak (docs/codecs.md), and how Opus is set up."""

from __future__ import annotations

from collections.abc import Iterable

import pjsua2 as pj

from b2bua.log import logger
from b2bua.settings import Settings
from b2bua.sip.key_ways import Wish, in_sdp

log = logger("sip")

EVERYBODY = -1
"No list of its own: what all legs have is right."
BEST = 250
"Priority of the first one: PJSIP makes 255 into 254 before it sorts, which would be that of the second."
EXPECTED_LOSS = 5
"Per cent that our Opus encoder prepares for: without it in-band FEC is agreed on and never sent (RFC 6716 2.1.7)."
OPUS_FRAME = 20
"Milliseconds."
COMPLEXITY = 5
"Of libopus (0 to 10): above it the processor pays more than the ear gets at these rates."


class Codecs:
    """The lists of a configuration, made when first asked for."""

    def __init__(self, endpoint: pj.Endpoint, settings: Settings) -> None:
        self._endpoint, self._settings = endpoint, settings
        self._found: dict[tuple[str | None, str], tuple[int, Wish]] = {}
        self._all: tuple[str, ...] = ()
        self._built = frozenset(_name(codec) for codec in endpoint.codecEnum2())
        self.renew(settings)
        if "OPUS" in self._built:
            self._set_up_opus()

    def renew(self, settings: Settings) -> None:
        """Other settings from the next leg on; legs keep what they have."""
        self._settings = settings
        self._found.clear()
        wanted = list(settings.media.codecs)
        for own in _own_lists(settings):
            wanted += [name for name in own if name not in wanted]
        if tuple(wanted) == self._all:
            return
        self._all = tuple(wanted)
        for codec in self._endpoint.codecEnum2():
            name = _name(codec)
            self._endpoint.codecSetPriority(codec.codecId, BEST - wanted.index(name) if name in wanted else 0)
        if missing := [name for name in wanted if name not in self._built]:
            log.warning("codecs are not in this build and are left out", codecs=missing)

    def of(self, trunk: str | None, listener: str) -> tuple[int, Wish]:
        """Number of the list for a leg of this trunk, or of a phone behind this listener; and how its keys go."""
        found = self._found.get((trunk, listener))
        if found is None:
            found = self._found[trunk, listener] = self._find(trunk, listener)
        return found

    def _find(self, trunk: str | None, listener: str) -> tuple[int, Wish]:
        face = self._settings.listeners[listener]
        carrier = self._settings.trunks.get(trunk) if trunk else None
        own = carrier.codecs if carrier is not None else None
        wish: Wish = (carrier.dtmf if carrier is not None else None) or face.dtmf
        codecs = tuple(own or face.codecs or self._settings.media.codecs)
        if codecs == self._all and in_sdp(wish):
            return EVERYBODY, wish
        return pj.tandem_codec_list(codecs, in_sdp(wish)), wish

    def _set_up_opus(self) -> None:
        """Mono at the bridge's own rate: nothing is resampled, and the far end is told what is of use (RFC 7587 6.1).
        DTX stays off: the far end takes no silence for a dead line, and relays need no comfort noise."""
        opus = self._endpoint.getCodecOpusConfig()
        opus.sample_rate = self._settings.media.clock_rate
        opus.channel_cnt, opus.frm_ptime, opus.frm_ptime_denum = 1, OPUS_FRAME, 1
        opus.bit_rate = self._settings.media.opus_bitrate
        opus.packet_loss, opus.complexity, opus.cbr = EXPECTED_LOSS, COMPLEXITY, False
        self._endpoint.setCodecOpusConfig(opus)


def _own_lists(settings: Settings) -> Iterable[list[str]]:
    for table in (settings.listeners, settings.trunks):
        for entry in table.values():
            if entry.codecs:
                yield entry.codecs


def _name(codec: pj.CodecInfo) -> str:
    return str(codec.codecId).partition("/")[0].upper()
