"""How a call sounded, from delay and loss: the E-model (ITU-T G.107; G.107.1 for wide-band codecs).

Only what a switchboard can measure is put in; all else has its default value, which gives R = 93.2 for a perfect
narrow-band line and 129 for a perfect wide-band one.  Echo is taken as cancelled at its source.
"""

from dataclasses import dataclass
from math import log2, sqrt

BEST_R = 93.2
"Rating of a narrow-band line with all default values (G.107, clause 7.7)."
BEST_WIDE_R = 129.0
"The same of a wide-band line (G.107.1, clause 7.7)."
WIDE_SCALE = 1.29
"What a wide-band rating is divided by before it is made a score (G.107.1, Annex A)."
MOST_BURST = 8.0
"The largest burst ratio the model was made for (G.107, table 2)."


@dataclass(frozen=True, slots=True)
class Codec:
    """What a codec does to speech (G.113 Appendix I; of wide-band ones Appendix IV)."""

    impairment: float
    "Ie: loss of rating without packet loss, on the codec's own scale."
    robustness: float
    "Bpl: per cent of random loss at which half of what is left is lost."
    wide: bool = False
    "Rated on the wide-band scale."


G711 = Codec(0.0, 25.1)
"With packet loss concealment, which our jitter buffer does and phones do; 4.3 without."
G729 = Codec(11.0, 19.0)
"G.729A with voice activity detection."
GSM = Codec(20.0, 4.3)
"GSM full rate; G.113 has no Bpl for it: that of a codec without concealment is taken."
G722 = Codec(13.0, 4.3, wide=True)
"64 kbit/s.  Ie is that of G.113 Appendix IV; for Bpl that of a codec without concealment is taken."
OPUS = Codec(13.0, 10.0, wide=True)
"""G.113 has no figures for it on this scale: taken as no better than G.722, and as robust as G.113 says GSM-EFR is.
Figures of measurements are better on both counts."""

CODECS = {"PCMU": G711, "PCMA": G711, "G729": G729, "GSM": GSM, "G722": G722, "OPUS": OPUS}
"By the name in SDP, in capitals."


def codec_of(name: str) -> Codec | None:
    """A codec by its name in SDP, however it is written; None where nothing is known of what it does to speech."""
    return CODECS.get(name.upper())


def delay_impairment(one_way_ms: float) -> float:
    """Idd, what mouth-to-ear delay (milliseconds) takes from the rating (G.107, equation 7-27)."""
    if one_way_ms <= 100:
        return 0.0
    x = log2(one_way_ms / 100)
    return 25 * (float((1 + x**6) ** (1 / 6)) - 3 * float((1 + (x / 3) ** 6) ** (1 / 6)) + 2)


def burst_ratio(received: int, lost: int, lost_in_runs: int) -> float:
    """BurstR (G.107, clause 7.5): how much longer runs of lost packets are than chance would make them; 1 to 8.

    `lost_in_runs`: of the lost ones, those that had a lost neighbour.  In the two-state model of G.107 a run goes on
    with the probability 1 - q, so q squared of the lost packets stand alone: q comes from the share that does, and
    BurstR is (1 - loss) / q.
    """
    if lost <= 0 or received < 0:
        return 1.0
    alone = min(1.0, max(0.0, 1 - lost_in_runs / lost))
    q = max(sqrt(alone), 1 / lost)
    ratio = received / (received + lost) / q
    return min(MOST_BURST, max(1.0, ratio))


def loss_impairment(loss: float, codec: Codec = G711, burst: float = 1.0) -> float:
    """Ie-eff, what the codec and packet loss take from the rating (G.107, equation 7-29).

    `loss` is a share, 0 to 1; `burst` the burst ratio, 1 for random loss.
    """
    percent = 100 * min(1.0, max(0.0, loss))
    return codec.impairment + (95 - codec.impairment) * percent / (percent / max(1.0, burst) + codec.robustness)


def rating(one_way_ms: float, loss: float, codec: Codec = G711, burst: float = 1.0) -> float:
    """R for a delay in milliseconds and a loss as a share, on the codec's own scale."""
    best = BEST_WIDE_R if codec.wide else BEST_R
    return best - delay_impairment(one_way_ms) - loss_impairment(loss, codec, burst)


def mos_of(r: float) -> float:
    """Mean opinion score for a narrow-band rating: 1 to 4.5 (G.107, Annex B)."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6


def mos(one_way_ms: float, loss: float, codec: Codec = G711, burst: float = 1.0) -> float:
    """Mean opinion score: `mos(rtt / 2 + jitter buffer + packet time, lost / (lost + received))`."""
    r = rating(one_way_ms, loss, codec, burst)
    return max(1.0, mos_of(r / WIDE_SCALE if codec.wide else r))
