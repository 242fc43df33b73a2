"""How a call sounded, from delay and loss: the E-model (ITU-T G.107, codec figures from G.113 Appendix I).

Only what a switchboard can measure is put in; all else has its default value, which gives R = 93.2 for a perfect line.
Echo is taken as cancelled at its source; the scale is the narrow-band one.
"""

from dataclasses import dataclass
from math import log2

BEST_R = 93.2
"Rating of a line with all default values (G.107, clause 7.7)."


@dataclass(frozen=True, slots=True)
class Codec:
    """What a codec does to speech (G.113 Appendix I)."""

    impairment: float
    "Ie: loss of rating without packet loss."
    robustness: float
    "Bpl: per cent of random loss at which half of what is left is lost."


G711 = Codec(0.0, 25.1)
"With packet loss concealment, which our jitter buffer does; 4.3 without."
G729 = Codec(11.0, 19.0)
"G.729A with voice activity detection."

CODECS = {"PCMU": G711, "PCMA": G711, "G729": G729}
"By the name in SDP.  G.722 and Opus are wide-band: their scale is another (G.107.1)."


def delay_impairment(one_way_ms: float) -> float:
    """Idd, what mouth-to-ear delay (milliseconds) takes from the rating (G.107, equation 7-27)."""
    if one_way_ms <= 100:
        return 0.0
    x = log2(one_way_ms / 100)
    return 25 * (float((1 + x**6) ** (1 / 6)) - 3 * float((1 + (x / 3) ** 6) ** (1 / 6)) + 2)


def loss_impairment(loss: float, codec: Codec = G711) -> float:
    """Ie-eff, what the codec and random packet loss (share, 0 to 1) take from the rating (G.107, equation 7-29)."""
    percent = 100 * min(1.0, max(0.0, loss))
    return codec.impairment + (95 - codec.impairment) * percent / (percent + codec.robustness)


def rating(one_way_ms: float, loss: float, codec: Codec = G711) -> float:
    """R for a delay in milliseconds and a loss as a share."""
    return BEST_R - delay_impairment(one_way_ms) - loss_impairment(loss, codec)


def mos_of(r: float) -> float:
    """Mean opinion score for a rating: 1 to 4.5 (G.107, Annex B)."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6


def mos(one_way_ms: float, loss: float, codec: Codec = G711) -> float:
    """Mean opinion score: `mos(rtt / 2 + jitter buffer + packet time, lost / (lost + received))`."""
    return max(1.0, mos_of(rating(one_way_ms, loss, codec)))
