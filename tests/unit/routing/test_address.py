"""Names, URIs and lists as SIP writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.address import (
    MAX_ADDRESS,
    MAX_ELEMENTS,
    Address,
    BadAddress,
    Uri,
    anonymous,
    parameters,
    percent_decode,
    printable,
    split_list,
    unquote,
)

SIP_LIKE = st.text(alphabet='<>",;:@%?&=\\ \tsiptel+0129aZ[]()\x00\udc80é', max_size=200)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("  ", []),
        ("a", ["a"]),
        ("a, b ,c", ["a", "b", "c"]),
        (",a,,b,", ["a", "b"]),
        ('"a,b" <sip:x>, c', ['"a,b" <sip:x>', "c"]),
        ("<sip:1,2@h>, c", ["<sip:1,2@h>", "c"]),
        (r'"say \"a, b\"" <sip:x>, c', [r'"say \"a, b\"" <sip:x>', "c"]),
        ("<sip:1@h, <sip:2@h>", ["<sip:1@h", "<sip:2@h>"]),
        ('"open <sip:1@h>, <sip:2@h>', ['"open <sip:1@h>', "<sip:2@h>"]),
        ('<sip:1@h>;x="a,b', ['<sip:1@h>;x="a', "b"]),
        ('"a" <sip:1@h>, "b <sip:2,3@h>, c', ['"a" <sip:1@h>', '"b <sip:2,3@h>', "c"]),
    ],
)
def test_a_comma_list_is_split_outside_quotes_and_brackets(text: str, found: list[str]) -> None:
    """R1-03: comma lists; what never closes does not swallow the rest."""
    assert split_list(text) == found


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("<sip:1@h>", Address("", "sip:1@h", "")),
        ("sip:1@h", Address("", "sip:1@h", "")),
        ("sip:1@h;tag=7", Address("", "sip:1@h", "tag=7")),
        ("<sip:1@h;user=phone> ; tag=7", Address("", "sip:1@h;user=phone", " tag=7")),
        ("Al Bo <sip:1@h>", Address("Al Bo", "sip:1@h", "")),
        (r'"A \"B\" <x>, 上海" <tel:+86-1>', Address('A "B" <x>, 上海', "tel:+86-1", "")),
        ('""<sip:1@h>', Address("", "sip:1@h", "")),
    ],
)
def test_an_address_is_read_in_every_form(text: str, address: Address) -> None:
    """R1-03"""
    assert Address.parse(text) == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no URI"),
        ("<>", "no URI in brackets"),
        ("<sip:1@h", "bracket without end"),
        ('"open <sip:1@h>', "quote without end"),
        ('"only a name"', "no URI"),
        ("<sip:1@h> <sip:2@h>", "text after the bracket"),
        ("<sip:1@h <sip:2@h>", "no URI in brackets"),
        ("<" + "1" * MAX_ADDRESS + ">", "longer than an address may be"),
    ],
)
def test_a_broken_address_says_what_is_wrong_and_not_what_stood_there(text: str, why: str) -> None:
    """R1-03: the text may be a private number, so the message that goes to the log leaves it out."""
    with pytest.raises(BadAddress) as caught:
        Address.parse(text)
    assert str(caught.value).startswith(why + " at ")
    assert caught.value.text == text


@pytest.mark.parametrize(
    ("text", "user", "host"),
    [
        ("sip:4711@h", "4711", "h"),
        ("SIPS:4711@h:5061;transport=tls?Subject=x", "4711", "h:5061"),
        ("sip:4711:secret@h", "4711", "h"),
        ("sip:%2B86%2d10@h", "+86-10", "h"),
        ("sip:1;npdi;rn=2@h", "1;npdi;rn=2", "h"),
        ("sip:h", "", "h"),
        ("tel:+86-10;phone-context=x", "+86-10", ""),
        ("sip:4711@[2001:db8::1]:5060", "4711", "[2001:db8::1]:5060"),
    ],
)
def test_a_uri_gives_its_user_and_host(text: str, user: str, host: str) -> None:
    """R1-03: percent-decoding, tel URIs."""
    uri = Uri.parse(text)
    assert (uri.user, uri.host) == (user, host)


@pytest.mark.parametrize("text", ["", "4711", "mailto:a@b", "sip:", "sip:4711@", "tel:", "tel:;x=1"])
def test_what_is_no_uri_is_refused(text: str) -> None:
    """R1-03"""
    with pytest.raises(BadAddress):
        Uri.parse(text)


def test_a_uri_gives_its_parameters_and_its_escaped_headers() -> None:
    """R1-03: escaped Reason and Privacy."""
    uri = Uri.parse("sip:1@h;Cause=302;lr?Reason=SIP%3Bcause%3D302%3Btext%3D%22a%26b%22&%50rivacy=history")
    assert uri.parameters() == {"cause": "302", "lr": ""}
    assert uri.header("reason") == 'SIP;cause=302;text="a&b"'
    assert uri.header("privacy") == "history"
    assert uri.header("subject") == ""
    assert Uri.parse("tel:1;cause=486?Reason=x").header("reason") == "x"
    assert Uri.parse("sip:1@h").header("reason") == ""


def test_parameters_may_be_quoted_and_the_first_of_a_name_wins() -> None:
    assert parameters('a="x;y";A=2;; b ;c = d') == {"a": "x;y", "b": "", "c": "d"}
    assert parameters("a=1;a=2") == {"a": "1"}
    assert unquote('"') == '"'
    assert unquote(r'"a\"b"') == 'a"b'


@pytest.mark.parametrize(
    ("text", "decoded"),
    [("a", "a"), ("%41%e4%b8%8a", "A上"), ("%", "%"), ("%4", "%4"), ("%zz%41", "%zzA"), ("%ff", "\udcff")],
)
def test_escapes_are_decoded_and_broken_ones_left(text: str, decoded: str) -> None:
    """R1-03"""
    assert percent_decode(text) == decoded


def test_what_goes_to_records_has_no_controls_and_no_lone_surrogates() -> None:
    assert printable("上海 +86") == "上海 +86"
    assert printable("a\x00b\x7f\x85") == "a\ufffdb\ufffd\ufffd"
    printable("\udcff\ud800").encode("utf8")
    assert printable("\xa0x") == "\xa0x"
    assert len(printable("9" * 1000)) == 128


def test_withheld_numbers_are_recognised() -> None:
    """R1-03: anonymous skipped."""
    assert Uri.parse("sip:Anonymous@h").anonymous
    assert Uri.parse("sip:12@anonymous.invalid").anonymous
    assert not Uri.parse("sip:12@h").anonymous
    assert anonymous("restricted")


@pytest.mark.parametrize("piece", ["a,", '"",', "<>", '"', "<", "\\", '<"', '"a,'])
def test_a_list_made_to_keep_us_busy_is_read_to_a_limit(piece: str) -> None:
    """R1-05: input caps; nothing in a call is worth more than so many elements."""
    assert len(split_list(piece * 10_000)) <= MAX_ELEMENTS
    assert len(parameters("a=b;" + "".join(f"x{n};" for n in range(10_000)))) == MAX_ELEMENTS
    assert len(parameters('a="b";' + "".join(f"x{n};" for n in range(10_000)))) == MAX_ELEMENTS


@given(SIP_LIKE | st.text(max_size=200))
def test_only_its_own_error_leaves_the_reader(text: str) -> None:
    """R1-05: never a crash."""
    split_list(text)
    parameters(text)
    printable(text).encode("utf8")
    try:
        address = Address.parse(text)
        address.parameters()
        uri = address.parsed_uri()
    except BadAddress:
        return
    uri.parameters()
    uri.header("reason")


@given(st.lists(st.from_regex(r'<sip:[0-9,]{1,9}@h>(;x="[a,;<>]{0,5}")?', fullmatch=True), max_size=8))
def test_splitting_gives_back_what_was_joined(entries: list[str]) -> None:
    assert split_list(", ".join(entries)) == entries
