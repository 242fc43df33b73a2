"""Keys: which packets of a stream are one press (RFC 4733 section 2.5), and which INFO names a key."""

import pytest

from b2bua.sip.keys import KEYS_A_SECOND, KEYS_AT_ONCE, KeyRate, Presses, key_of


def begun(*packets: tuple[str, int, int, bool]) -> str:
    """The keys that begin in these packets: key, timestamp and duration in ms, end bit."""
    presses = Presses()
    return "".join(key for key, at, duration, ended in packets if presses.begins(key, at, duration, ended=ended))


def test_all_packets_of_a_press_are_one_key() -> None:
    assert begun(*(("5", 1000, d, False) for d in range(20, 200, 20)), *[("5", 1000, 200, True)] * 3) == "5"


def test_the_same_key_again_is_another_press() -> None:
    assert begun(("5", 1000, 20, False), ("5", 1000, 40, True), ("5", 1100, 20, False), ("5", 1100, 40, True)) == "55"


def test_the_same_key_again_without_its_beginning_is_another_press() -> None:
    """Bridge, DTMF: the first packets seen of the second press are longer than the whole first one."""
    assert begun(("5", 1000, 20, False), ("5", 1000, 40, True), ("5", 1300, 60, False), ("5", 1300, 80, True)) == "55"


def test_a_press_of_which_only_the_end_arrives_is_a_key() -> None:
    assert begun(("1", 0, 100, True), ("2", 400, 100, True), ("2", 400, 100, True)) == "12"


def test_a_press_whose_end_is_lost_does_not_hide_the_next_one() -> None:
    assert begun(("7", 1000, 60, False), ("7", 1500, 20, False), ("8", 2000, 20, False)) == "778"


def test_a_press_in_segments_is_one_key() -> None:
    """RFC 4733 2.5.1.3: a key held for more than 8 s goes on under a new timestamp, where the last one stopped."""
    assert begun(("3", 0, 8191, False), ("3", 8191, 20, False), ("3", 8191, 500, True), ("3", 8900, 20, False)) == "33"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("5", "5"),
        (" 5\r\n", "5"),
        ("#", "#"),
        ("*", "*"),
        ("d", "D"),
        ("", None),
        ("55", None),
        ("x", None),
        ("R", None),
    ],
)
def test_the_key_of_an_info(text: str, key: str | None) -> None:
    assert key_of(text) == key


def test_keys_that_no_finger_presses_are_not_heard() -> None:
    """A card number in one go is; after it twenty a second, whatever comes."""
    rate = KeyRate()
    assert sum(rate.allows(100.0) for _ in range(100)) == KEYS_AT_ONCE
    assert sum(rate.allows(100.0 + n / 1000) for n in range(1, 2001)) == 2 * KEYS_A_SECOND
    assert sum(rate.allows(200.0 + n) for n in range(5)) == 5
