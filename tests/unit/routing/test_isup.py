"""The initial address message of Q.763."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.digits import Nature
from routing.isup import (
    CALLED_PARTY_NUMBER,
    CALLING_PARTY_NUMBER,
    MAX_CONTENT,
    ORIGINAL_CALLED_NUMBER,
    REDIRECTING_NUMBER,
    REDIRECTION_INFORMATION,
    BadIsup,
    InitialAddress,
    IsupNumber,
    Presentation,
    Redirection,
)
from tests import isup_build as build

BY_HAND = bytes.fromhex(
    "01 00 6001 0a 00"  # initial address; connection, forward call indicators, ordinary subscriber, speech
    "02 09"  # called number begins 2 octets on from here, the optional part 9
    "07 04 10 0408000010"  # called: even, international, ISDN: 4080000001
    "0a 08 83 13 310800000000"  # calling: odd, national, allowed, network provided: 13800000000
    "13 02 63 61"  # redirection information
    "28 08 03 14 150000407111"  # original called: even, national, restricted: 510000041711
    "00"
)


def test_a_message_made_by_hand_is_read() -> None:
    """R1-03: Q.763, low nibble first; no builder of ours between the standard and the reader."""
    iam = InitialAddress.parse(BY_HAND)
    assert iam.cut is None
    assert iam.number(CALLED_PARTY_NUMBER) == IsupNumber("4080000001", Nature.INTERNATIONAL)
    assert iam.number(CALLING_PARTY_NUMBER) == IsupNumber("13800000000", Nature.NATIONAL)
    assert iam.number(ORIGINAL_CALLED_NUMBER) == IsupNumber("510000041711", Nature.NATIONAL, Presentation.RESTRICTED)
    assert iam.number(REDIRECTING_NUMBER) is None
    assert iam.redirection() == Redirection(indicator=3, original_reason=6, counter=1, reason=6)


def original(content: bytes) -> IsupNumber | None:
    iam = build.iam(build.called_number("4008100001"), (build.ORIGINAL_CALLED, content))
    return InitialAddress.parse(iam).number(ORIGINAL_CALLED_NUMBER)


@pytest.mark.parametrize(
    ("content", "digits"),
    [
        (build.number("510000004711"), "510000004711"),
        (build.number("51000000471"), "51000000471"),
        (build.number("51000000471", filler=0xF), "51000000471"),
        (build.number("51000000471f"), "51000000471"),
        (build.number("5100000047f"), "5100000047"),
        (build.number("1"), "1"),
    ],
)
def test_odd_even_filler_and_the_end_signal_are_understood(content: bytes, digits: str) -> None:
    """R1-03: odd/even filler, trailing 0xF (ST) stripped."""
    found = original(content)
    assert found is not None
    assert found.digits == digits


@pytest.mark.parametrize(
    "digits", ["51000b004711", "510000c04711", "a10000004711", "51000f004711", "", "f", "ff", "1" * 33]
)
def test_other_signals_than_digits_are_malformed(digits: str) -> None:
    """R1-03: other non-decimal digits = malformed."""
    with pytest.raises(BadIsup):
        original(build.number(digits))


@pytest.mark.parametrize("content", [b"", b"\x03"])
def test_a_number_without_its_indicators_is_malformed(content: bytes) -> None:
    """R1-05"""
    with pytest.raises(BadIsup, match="too short for a number"):
        original(content)


def test_a_restricted_number_is_decoded_and_an_unavailable_one_is_absent() -> None:
    """R1-03: "restricted" still decoded, "not available" = absent."""
    for presentation, masked in ((build.ALLOWED, False), (build.RESTRICTED, True), (build.NETWORK, True)):
        found = original(build.number("510000004711", presentation=presentation))
        assert found is not None
        assert (found.digits, found.masked) == ("510000004711", masked)
    assert original(build.number("", presentation=build.NOT_AVAILABLE, nature=0)) is None


@pytest.mark.parametrize(
    ("nature", "meant"),
    [
        (build.SUBSCRIBER, Nature.SUBSCRIBER),
        (build.UNKNOWN, Nature.UNKNOWN),
        (build.NATIONAL, Nature.NATIONAL),
        (build.INTERNATIONAL, Nature.INTERNATIONAL),
        (0x7E, Nature.UNKNOWN),
    ],
)
def test_the_nature_of_address_is_kept(nature: int, meant: Nature) -> None:
    """R1-03"""
    found = original(build.number("4711", nature=nature))
    assert found is not None
    assert found.nature is meant


def test_the_called_number_has_no_presentation() -> None:
    """Q.763 3.9: those bits are spare, and bit 8 says whether routing to an internal number is allowed."""
    iam = InitialAddress.parse(build.iam(bytes([0x83, 0x98]) + build.signals("4008100001f")))
    assert iam.number(CALLED_PARTY_NUMBER) == IsupNumber("4008100001", Nature.NATIONAL)
    assert iam.number(ORIGINAL_CALLED_NUMBER) is None
    assert iam.redirection() is None


def test_the_first_of_a_repeated_parameter_counts() -> None:
    numbers = [(build.ORIGINAL_CALLED, build.number(digits)) for digits in ("11", "22")]
    found = InitialAddress.parse(build.iam(build.called_number("1"), *numbers)).number(ORIGINAL_CALLED_NUMBER)
    assert found == IsupNumber("11", Nature.NATIONAL)


@pytest.mark.parametrize("content", [b"", b"\x06\x00", b"\x01\x00\x20\x01\x0a\x03\x02", b"\x01" * (MAX_CONTENT + 1)])
def test_what_is_no_initial_address_message_is_refused(content: bytes) -> None:
    """R1-05"""
    with pytest.raises(BadIsup):
        InitialAddress.parse(content)


def test_only_numbers_are_read_as_numbers() -> None:
    with pytest.raises(BadIsup, match="no number"):
        InitialAddress.parse(BY_HAND).number(REDIRECTION_INFORMATION)


def test_redirection_information_may_be_one_octet() -> None:
    iam = build.iam(build.called_number("1"), (build.REDIRECTION_INFORMATION, b"\x63"))
    assert InitialAddress.parse(iam).redirection() == Redirection(3, 6, 0, 0)
    for broken in (
        build.iam(build.called_number("1"), (build.REDIRECTION_INFORMATION, b"")),
        build.iam(build.called_number("1"), (build.REDIRECTION_INFORMATION, b"\x63\x61"))[:-2],
    ):
        with pytest.raises(BadIsup, match="cut short"):
            InitialAddress.parse(broken).redirection()


def test_a_message_without_end_mark_is_whole_and_one_cut_inside_a_parameter_is_not() -> None:
    """R1-05: a number that may be missing its end is malformed, never a shorter number."""
    whole = build.diverted_iam("4008100001", "510000004711", "4711")
    assert InitialAddress.parse(whole[:-1]).cut is None
    for length in range(len(whole) - 1):
        try:
            found = InitialAddress.parse(whole[:length]).number(ORIGINAL_CALLED_NUMBER)
        except BadIsup:
            continue
        assert found is None, length


def test_a_cut_parameter_leaves_those_before_it() -> None:
    """R1-03: one broken entry does not spoil the others."""
    whole = build.diverted_iam("4008100001", "510000004711", "4711")
    iam = InitialAddress.parse(whole[:-3])
    assert iam.cut == ORIGINAL_CALLED_NUMBER
    with pytest.raises(BadIsup, match="cut short"):
        iam.number(ORIGINAL_CALLED_NUMBER)
    assert iam.number(REDIRECTING_NUMBER) == IsupNumber("4711", Nature.NATIONAL)


def test_a_called_number_that_runs_past_the_end_is_malformed() -> None:
    iam = InitialAddress.parse(build.iam(build.called_number("4008100001"))[:-1])
    with pytest.raises(BadIsup, match="cut short"):
        iam.number(CALLED_PARTY_NUMBER)


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda tail: BY_HAND[:8] + tail))
def test_only_its_own_error_leaves_the_reader(content: bytes) -> None:
    """R1-05: never a crash."""
    try:
        iam = InitialAddress.parse(content)
    except BadIsup:
        return
    for code in (CALLED_PARTY_NUMBER, CALLING_PARTY_NUMBER, REDIRECTING_NUMBER, ORIGINAL_CALLED_NUMBER):
        try:
            found = iam.number(code)
        except BadIsup:
            continue
        assert found is None or found.digits.isdigit()
    try:
        iam.redirection()
    except BadIsup:
        pass


@given(
    st.text("0123456789", min_size=1, max_size=32),
    st.text("0123456789", min_size=1, max_size=32),
    st.sampled_from(list(range(4))),
)
def test_what_is_built_is_read_again(digits: str, redirecting: str, presentation: int) -> None:
    """R1-03"""
    iam = InitialAddress.parse(
        build.iam(
            build.called_number(digits),
            (build.REDIRECTING, build.number(redirecting)),
            (0x39, b"\x00\xff\x28"),
            (build.ORIGINAL_CALLED, build.number(digits, presentation=presentation)),
        )
    )
    found = iam.number(REDIRECTING_NUMBER)
    assert found is not None
    assert found.digits == redirecting
    found = iam.number(ORIGINAL_CALLED_NUMBER)
    assert (found.digits if found else None) == (None if presentation == build.NOT_AVAILABLE else digits)
