"""A machine's beep: after it the message is taken down."""

from __future__ import annotations

from media.amd_values import Beep
from media.call_tones import CNG, Heard, is_network_tone

LOWEST, HIGHEST = 340.0, 2750.0
"Hertz."
SHORTEST, LONGEST = 0.10, 3.5
"Seconds."
SURE = 0.20
"Seconds after which a tone that is still on is a beep for sure; no voice holds a pitch so long."
STEADIEST = 6.0
"Hertz that a beep's frames are away from its mean at most; the last one, with the tone's end in it, too."
ALONE = 0.4
"Seconds without a tone after one that nobody's talk came before."
KEY_LOW, KEY_HIGH = (680.0, 960.0), (1190.0, 1650.0)
"Hertz: two tones, one in each, are a key and no beep."


def beep(tone: Heard | None) -> Beep | None:
    """Whether a tone that is over is a beep."""
    if tone is None or not SHORTEST <= tone.length <= LONGEST or not LOWEST <= tone.low <= HIGHEST:
        return None
    if tone.high and KEY_LOW[0] <= tone.low <= KEY_LOW[1] and KEY_HIGH[0] <= tone.high <= KEY_HIGH[1]:
        return None
    return Beep(tone.start, tone.end, tone.low)


def surely_beep(tone: Heard | None, now: float, *, after_talk: bool) -> bool:
    """Whether a tone, over or still on, tells a machine from a person.

    Without talk before it, it must be over for long enough that no fax, no network tone and no SIT comes of it.
    """
    if tone is None or tone.length < SURE or tone.wobble > STEADIEST or beep(tone) is None:
        return False
    if after_talk:
        return True
    return now - tone.end >= ALONE and not is_network_tone(tone) and abs(tone.low - CNG) > 38
