"""Whose sound a leg hears: native/source.c, asked without a leg."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pjsua2 as pj
import pytest
from hypothesis import given
from hypothesis import strategies as st

TOLD, SIGNALLING, GATEWAY, STRANGER = "192.0.2.1", "198.51.100.9", "203.0.113.7", "192.0.2.66"
PORT, SSRC = 4000, 7
QUIET = 3000

Event = tuple[int, str, str, int, int]


@dataclass(frozen=True, slots=True)
class Rule:
    networks: tuple[tuple[str, int], ...] = ()
    learn: bool = False
    back: bool = True
    strict: bool = False

    def __call__(self, *events: Event) -> list[str]:
        """What is said of each event of a leg that was told TOLD, PORT."""
        number = pj.tandem_source_rule(self.networks, self.learn, self.back, self.strict, QUIET)
        return pj.tandem_source_try(number, TOLD, PORT, SIGNALLING, list(events))


TRUNK, PHONE, STRICT = Rule(), Rule(learn=True), Rule(strict=True)
GATEWAYS = Rule(networks=(("203.0.113.0", 29),))


def rtp(host: str = TOLD, port: int = PORT, ssrc: int = SSRC, at: int = 0) -> Event:
    return at, "rtp", host, port, ssrc


def rtcp(host: str = TOLD, port: int = PORT + 1, ssrc: int = SSRC, at: int = 0) -> Event:
    return at, "rtcp", host, port, ssrc


def sdp(host: str, port: int = PORT, version: int = 1) -> Event:
    return 0, "sdp", host, port, version


def talk(host: str = TOLD, port: int = PORT, ssrc: int = SSRC, n: int = 6) -> list[Event]:
    """Enough packets for a source that stays."""
    return [rtp(host, port, ssrc)] * n


def test_the_source_of_the_sdp_is_heard() -> None:
    assert TRUNK(*talk()) == ["heard"] * 6


@pytest.mark.parametrize("host", [STRANGER, SIGNALLING, GATEWAY])
def test_on_a_trunk_nobody_else_is(host: str) -> None:
    assert TRUNK(rtp(host), rtp(), rtp(host), rtcp(host)) == ["address", "heard", "address", "rtcp_address"]


def test_another_port_of_the_same_address_is_heard_but_not_followed() -> None:
    assert TRUNK(*talk(port=6000)) == ["heard"] * 6


def test_the_port_of_the_sdp_wins_over_another_one_at_any_time() -> None:
    assert TRUNK(*talk(port=6000), rtp(), rtp(port=6000)) == ["heard"] * 7 + ["source"]


def test_strict_means_the_port_too() -> None:
    assert STRICT(rtp(port=6000), rtp()) == ["port", "heard"]


def test_the_last_word_of_an_earlier_call_does_not_last() -> None:
    assert TRUNK(rtp(port=6000, ssrc=1), rtp(port=6002), *talk(port=6002)) == ["heard"] * 8


def test_a_stream_that_speaks_is_not_disturbed_by_another_ssrc() -> None:
    assert TRUNK(*talk(), rtp(ssrc=8), rtp()) == ["heard"] * 6 + ["ssrc", "heard"]


def test_after_a_pause_another_ssrc_is_heard_and_the_old_one_is_not() -> None:
    later = [rtp(ssrc=8, at=250), rtp(ssrc=8, at=270), rtp(at=280)]
    assert TRUNK(*talk(), *later, *[rtp(ssrc=8, at=290)] * 5, rtp(at=300))[6:] == ["heard"] * 8 + ["ssrc"]
    assert STRICT(*talk(), *later)[6:] == ["ssrc", "ssrc", "heard"]


def test_sound_from_a_gateway_is_heard_and_answered_there() -> None:
    assert GATEWAYS(rtp(GATEWAY), rtp(GATEWAY), rtp("203.0.113.8")) == ["followed", "heard", "address"]


def test_sound_from_a_gateway_need_not_be_answered_there() -> None:
    assert Rule(GATEWAYS.networks, back=False)(rtp(GATEWAY)) == ["heard"]


def test_a_phone_is_learnt_from_its_signalling_only() -> None:
    assert PHONE(rtp(STRANGER), rtp(SIGNALLING, 1234), rtp(SIGNALLING, 1234)) == ["address", "followed", "heard"]


def test_a_phone_that_got_another_port_is_learnt_again_after_a_silence() -> None:
    first = talk(SIGNALLING, 1234)
    again = [rtp(SIGNALLING, 1300, at=QUIET - 1), rtp(SIGNALLING, 1300, at=QUIET), rtp(STRANGER, 1300, at=QUIET * 2)]
    assert PHONE(*first, *again)[6:] == ["source", "followed", "address"]


def test_an_sdp_lets_one_other_source_in() -> None:
    moved = [sdp(GATEWAY, 5000), rtp(), rtp(GATEWAY, 5000, 9), rtp(), rtp(GATEWAY, 5000, 10)]
    assert TRUNK(*talk(), *moved)[6:] == ["told", "heard", "heard", "address", "heard"]


def test_the_same_sdp_again_lets_nobody_in() -> None:
    same = sdp(TOLD, version=0)
    assert TRUNK(*talk(), same, rtp(ssrc=8))[6:] == ["told", "ssrc"]
    assert TRUNK(*talk(), sdp(TOLD, version=2), rtp(ssrc=8))[6:] == ["told", "heard"]


def test_who_goes_on_after_an_sdp_is_not_replaced_later() -> None:
    """Hold and resume of a phone: minutes later another host behind the same router, or a forged address, comes to
    nothing, with as many packets as it likes."""
    first = talk(SIGNALLING, 1234)
    resumed = [sdp(TOLD, version=2), *talk(SIGNALLING, 1234, n=100)]
    intruder = talk(SIGNALLING, 6666, 66, n=50)
    said = PHONE(*first, *resumed, *intruder, rtp(SIGNALLING, 1234))[len(first) + len(resumed) :]
    assert said == ["source"] * 50 + ["heard"]
    other = [rtp(SIGNALLING, 1234, 8), rtcp(SIGNALLING, ssrc=8)]
    assert PHONE(*first, *resumed, *other)[-2:] == ["ssrc", "rtcp_ssrc"]
    quiet = rtp(SIGNALLING, 1300, at=QUIET)
    assert PHONE(*first, *resumed, quiet)[-1] == "followed", "another port after a silence, as before the SDP"


def test_a_trunks_source_goes_on_after_an_sdp_too() -> None:
    resumed = [sdp(TOLD, version=2), *talk(port=6000, n=100)]
    assert TRUNK(*talk(port=6000), *resumed, rtp(port=7000), rtp())[-2:] == ["source", "heard"]


def test_whom_an_sdp_names_is_heard_however_late_he_begins() -> None:
    """The old source goes on until then: it is the same far end's."""
    late = [sdp(GATEWAY, 5000), *talk(n=200), *talk(GATEWAY, 5000, 9), rtp()]
    assert TRUNK(*talk(), *late)[7:] == ["heard"] * 206 + ["address"]
    between = [sdp("203.0.113.1", 5000), *talk(GATEWAY, 4000, n=200), rtp("203.0.113.2", 6000, 9)]
    assert GATEWAYS(*talk(GATEWAY, 4000), *between)[-1] == "followed", "another gateway than the SDP names"


def test_reports_are_about_the_stream_that_speaks() -> None:
    assert TRUNK(*talk(), rtcp(), rtcp(ssrc=8), rtcp(ssrc=8, at=2500))[6:] == ["heard", "rtcp_ssrc", "heard"]


def test_reports_come_back_to_where_a_phones_reports_come_from() -> None:
    assert PHONE(*talk(SIGNALLING, 1234), rtcp(SIGNALLING, 1777), rtcp(SIGNALLING, 1777))[6:] == ["followed", "heard"]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 20_000),
            st.sampled_from(["rtp", "rtcp"]),
            st.sampled_from([STRANGER, "203.0.113.8", "10.1.1.1"]),
            st.sampled_from([PORT, PORT + 1, 6000]),
            st.sampled_from([SSRC, 8]),
        ),
        max_size=40,
    ),
    st.sampled_from([TRUNK, PHONE, STRICT, GATEWAYS]),
)
def test_whatever_strangers_send_and_when_they_are_turned_away(events: Sequence[Event], rule: Rule) -> None:
    """In any order, before, between and after the right one's packets; and he is heard all the while."""
    said = rule(rtp(), *sorted(events), rtp(at=20_000))
    assert said[0] == said[-1] == "heard"
    assert {*said[1:-1]} <= {"address", "rtcp_address"} | ({"port"} if rule.strict else set())


def test_rules_are_numbered_once_and_checked() -> None:
    make = pj.tandem_source_rule
    assert make((("10.0.0.0", 8),), 0, 1, 0, QUIET) == make((("10.0.0.0", 8),), 0, 1, 0, QUIET)
    assert make((("10.0.0.0", 8),), 0, 1, 0, QUIET) != make((("10.0.0.0", 9),), 0, 1, 0, QUIET)
    wrongs: list[Any] = [(("10.0.0.0", 33),), (("host", 8),), (("10.0.0.0",),)]
    for wrong in wrongs:
        with pytest.raises((ValueError, TypeError)):
            make(wrong, 0, 1, 0, QUIET)
