"""A person who gets his agent too late is counted, from the sound that says when his greeting was over (R3-15)."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from b2bua.dialling.attempt import Attempt, Terms
from dialer.campaign import Campaign
from dialer.command import Command
from dialer.contact import Contact, PhoneNumber
from dialer.law import limit_begins
from dialer.profiles import LawProfile
from media.amd_values import Verdict
from tests.unit.media.amd_sound import call, quiet, talk, told

LAW = LawProfile("test", connect_start="greeting-end", connect_limit=2.0)
CAMPAIGN = Campaign("c", "acme")
CONTACT = Contact("x", "c", "acme", "b", 1, (PhoneNumber("+442079460000"),))
COMMAND = Command("k", "c", "acme", "x", "+442079460000", 1, "n1", 0.0)
NEAR = 0.2
"Seconds by which the end of a greeting may be heard too late or too soon."


def heard(sound: npt.NDArray[np.int16]) -> Verdict:
    (said,) = [one.verdict for one in told(sound) if one.verdict is not None]
    return said


def answer(at: float, length: float, behind: float) -> npt.NDArray[np.int16]:
    """Somebody says a word, and waits; something else goes on behind him, so much fainter."""
    word = np.concatenate([quiet(at), talk(length), quiet(8)])
    return call(word + behind * talk(len(word) / 8000, 9)[: len(word)])


@pytest.mark.parametrize("behind", [0.0, 0.12, 0.2])
@pytest.mark.parametrize(("at", "length"), [(0.02, 0.24), (0.04, 0.22), (0.06, 0.2), (0.3, 0.4), (1.2, 0.6)])
def test_an_agent_later_than_the_limit_is_late_whenever_the_word_was(at: float, length: float, behind: float) -> None:
    """R3-15: a word in the first quarter of a second is no knock, and a television does not prolong a greeting."""
    said, over = heard(answer(at, length, behind)), at + length
    assert said.person
    begins = limit_begins(LAW, 0.0, greeting_end=said.greeting_end)
    assert begins <= over + NEAR, "a later one would hide calls that are late"

    def late(wait: float) -> bool:
        attempt = Attempt(replace(CAMPAIGN), CONTACT, COMMAND, Terms(connect_within=LAW.connect_limit))
        attempt.answered(0.0, "carrier")
        attempt.connected(over + wait, "1001", begins)
        return attempt.record(over + wait + 10).abandoned

    assert late(2.0 + NEAR + 0.01)
    assert not late(1.2)
