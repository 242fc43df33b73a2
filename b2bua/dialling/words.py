"""What is said to somebody for whom no agent is there: who has called, how to reach us, how to be left alone.  Pure.

The rules want the seller's name and a telephone number first (16 CFR 310.4(b)(4)(iii)), then, in an automated call, a
key that puts the called on the do-not-call list and ends the call (47 CFR 64.1200(a)(7)(i)).
"""

from dataclasses import dataclass

from dialer.campaign import Campaign
from routing.spoken import Piece, filled

OPT_OUT_KEY = "9"


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one language."""

    identity: str
    sorry: str
    opt_out: str
    noted: str


WORDS = {
    "en": Words(
        "This is a call from {seller}. You can reach us at {number|digits}.",
        "All our agents are busy at the moment. We apologise.",
        "Press {key} now if you do not want to be called again.",
        "Thank you. You will not be called again. Goodbye.",
    ),
    "de": Words(
        "Dies ist ein Anruf von {seller}. Sie erreichen uns unter {number|digits}.",
        "Leider ist im Moment kein Mitarbeiter frei. Bitte entschuldigen Sie die Störung.",
        "Drücken Sie die {key}, wenn Sie nicht mehr angerufen werden möchten.",
        "Vielen Dank. Sie werden nicht mehr angerufen. Auf Wiederhören.",
    ),
    "zh": Words(
        "这里是{seller}的来电。您可以拨打{number|digits}与我们联系。",
        "很抱歉, 目前没有空闲的客服。",
        "如果您不希望再接到来电, 请按{key}。",
        "谢谢。我们不会再给您打电话。再见。",
    ),
}
"By language; one that is not here hears English."


def words_of(language: str) -> Words:
    """The sentences of a language such as `en` or `zh-CN`."""
    return WORDS.get(language.partition("-")[0], WORDS["en"])


def identity(campaign: Campaign, language: str) -> Piece:
    """Who has called."""
    values = {
        "seller": campaign.seller or campaign.name or campaign.id,
        "number": (campaign.callback_number or campaign.caller_id).lstrip("+"),
    }
    return Piece("", filled(words_of(language).identity, values))


def opt_out(language: str) -> Piece:
    """How to be left alone."""
    return Piece(f"dialler/opt-out-{OPT_OUT_KEY}.wav", filled(words_of(language).opt_out, {"key": OPT_OUT_KEY}))


def noted(language: str) -> Piece:
    """He is on the list."""
    return Piece("dialler/noted.wav", words_of(language).noted)


def no_agent(campaign: Campaign, language: str) -> tuple[Piece, ...]:
    """The whole message where no agent is there in time: identity first, always."""
    if campaign.wait_message:
        return (Piece(campaign.wait_message, identity(campaign, language).text), opt_out(language))
    sorry = Piece("dialler/no-agent.wav", words_of(language).sorry)
    return (identity(campaign, language), sorry, opt_out(language))
