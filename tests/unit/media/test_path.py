"""Which way the sound of two legs takes, and the reason that is shown."""

from dataclasses import replace

from hypothesis import given
from hypothesis.strategies import booleans, builds, frozensets, integers, none, sampled_from

from media.path import COMPANY, RELAYED, Codec, Decision, Reason, Side, Way, Who, decide

PCMA = Codec("PCMA", 8000, 20)
ALONE = Side(True, PCMA)
SIDES = builds(
    Side,
    booleans(),
    none() | builds(Codec, sampled_from(["PCMA", "pcma", "G722"]), sampled_from([8000, 16000]), integers(10, 40)),
    booleans(),
    frozensets(sampled_from(Who)),
)


def test_two_that_are_alike_and_alone_need_no_conference() -> None:
    assert decide(ALONE, ALONE) == RELAYED
    assert str(RELAYED) == "relay"
    assert decide(ALONE, replace(ALONE, codec=Codec("pcma", 8000, 20))) == RELAYED


def test_each_reason_for_the_conference_has_its_words() -> None:
    for other, reason in (
        (replace(ALONE, holds=True), Reason.HELD),
        (replace(ALONE, here=False, codec=None), Reason.WAITING),
        (replace(ALONE, codec=None), Reason.UNKNOWN),
        (replace(ALONE, codec=Codec("PCMU", 8000, 20)), Reason.CODECS),
        (replace(ALONE, codec=Codec("PCMA", 16000, 20)), Reason.CODECS),
        (replace(ALONE, codec=Codec("PCMA", 8000, 30)), Reason.PACKETS),
        *((replace(ALONE, company=frozenset({who})), reason) for who, reason in COMPANY),
    ):
        assert decide(ALONE, other) == Decision(Way.CONFERENCE, reason)
        assert str(decide(other, ALONE)) == f"conference: {reason}"
    assert decide(ALONE, ALONE, relay=False).reason is Reason.OFF


def test_of_several_others_the_supervisor_is_shown() -> None:
    everybody = replace(ALONE, company=frozenset(Who))
    assert decide(everybody, ALONE).reason is Reason.SUPERVISED


@given(a=SIDES, b=SIDES, relay=booleans())
def test_the_relay_is_only_for_those_whom_nothing_speaks_against(a: Side, b: Side, relay: bool) -> None:
    decision = decide(a, b, relay=relay)
    assert decision == decide(b, a, relay=relay)
    assert (decision.way is Way.RELAY) == (decision.reason is Reason.ALONE)
    alike = (
        a.codec is not None
        and b.codec is not None
        and a.codec.name.lower() == b.codec.name.lower()
        and (a.codec.rate, a.codec.ptime) == (b.codec.rate, b.codec.ptime)
    )
    alone = not (a.holds or b.holds or a.company or b.company)
    assert (decision.way is Way.RELAY) == (relay and a.here and b.here and alike and alone)
