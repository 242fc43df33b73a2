"""Which presses count where a side sends a key as an event and as a tone."""

from b2bua.calls.keypad import Keypad


def counted(*presses: tuple[str, str, float]) -> str:
    """R2-02: each press is (key, method, seconds)."""
    keypad = Keypad()
    return "".join(keypad.pressed(*press) for press in presses)


def test_each_form_counts() -> None:
    for method in ("rfc4733", "info", "inband"):
        assert counted(("1", method, 0.0), ("1", method, 0.2), ("#", method, 0.4)) == "11#"


def test_a_key_that_comes_in_both_forms_is_one_key() -> None:
    assert counted(("1", "inband", 0.0), ("1", "rfc4733", 0.1), ("2", "rfc4733", 1.0), ("2", "inband", 1.1)) == "12"


def test_an_event_of_another_key_or_much_later_is_a_key() -> None:
    assert counted(("1", "inband", 0.0), ("2", "rfc4733", 0.1)) == "12"
    assert counted(("1", "inband", 0.0), ("1", "info", 0.8)) == "11"


def test_a_terminator_behind_a_number_that_was_whole_is_no_key() -> None:
    """R2-02: who ends with # what needs no end has not answered the next question; once, and not for ever."""
    keypad = Keypad()
    keypad.whole("#", 3.0)
    assert [keypad.pressed(key, "info", at) for key, at in (("#", 1.0), ("#", 1.2))] == ["", "#"]
    keypad.whole("#", 3.0)
    assert [keypad.pressed(key, "info", at) for key, at in (("1", 1.0), ("#", 1.2))] == ["1", "#"]
    keypad.whole("#", 3.0)
    assert keypad.pressed("#", "info", 3.1) == "#"


def test_the_same_event_twice_is_two_keys() -> None:
    assert counted(("1", "inband", 0.0), ("1", "rfc4733", 0.1), ("1", "rfc4733", 0.3)) == "11"
