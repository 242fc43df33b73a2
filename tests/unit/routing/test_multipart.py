"""Multipart bodies and the header lines of their parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.arrival import Body
from routing.header_block import COMPACT, long_name, read_headers
from routing.multipart import MAX_BOUNDARY, MAX_DEPTH, MAX_PARTS, leaf_parts, split_parts
from tests import isup_build as build

SDP = b"v=0\r\no=- 1 1 IN IP4 198.51.100.8\r\n"


def mixed(*parts: bytes, boundary: str = "b", line: bytes = b"\r\n") -> bytes:
    delimiter = b"--" + boundary.encode()
    return b"".join(delimiter + line + part + line for part in parts) + delimiter + b"--" + line


def test_a_plain_body_is_its_own_leaf() -> None:
    assert leaf_parts("Application/SDP ; charset=utf8", SDP) == (Body("application/sdp", SDP, "charset=utf8"),)


@pytest.mark.parametrize("handling", ["required", "optional", "whatever"])
def test_an_isup_part_is_found_whatever_its_handling(handling: str) -> None:
    """R1-03: `application/ISUP;version=..;base=..` in multipart, any handling=."""
    isup = build.diverted_iam("4008100001", "510000004711")
    content_type, body = build.sip_i_body(SDP, isup, handling=handling)
    assert leaf_parts(content_type, body) == (
        Body("application/sdp", SDP),
        Body("application/isup", isup, "version=itu-t92+;base=itu-t92+"),
    )


@pytest.mark.parametrize(
    "boundary", ["simple", "with space", "a'()+_,-./:=?b", "x" * 70, "0", 'quote\\"d'.replace("\\", "")]
)
def test_a_boundary_may_be_quoted(boundary: str) -> None:
    """RFC 2046 5.1.1"""
    written = boundary.replace('"', '\\"')
    assert leaf_parts(f'multipart/mixed; Boundary="{written}"', mixed(b"\r\nx", boundary=boundary)) == (
        Body("text/plain", b"x"),
    )


def test_binary_content_that_looks_like_a_delimiter_stays_whole() -> None:
    """R1-03: byte exact."""
    content = b"\x00--b\r\n--bb\r\n--b-\r\n--b--x\r\n\r\n\xff\n\r\n-- b\r\n"
    (body,) = leaf_parts("multipart/mixed;boundary=b", mixed(b"c: application/isup\r\n\r\n" + content))
    assert body == Body("application/isup", content)


def test_preamble_epilogue_and_padding_are_left_out() -> None:
    body = b"pre --b\r\n--b \t\r\n\r\none\r\n--b\t\r\n\r\ntwo\r\n--b--  \r\n--b\r\n\r\nafter\r\n"
    assert [leaf.content for leaf in leaf_parts("multipart/mixed;boundary=b", body)] == [b"one", b"two"]


def test_bare_line_feeds_are_understood() -> None:
    body = mixed(b"Content-Type: a/b\n\none", b"\ntwo", line=b"\n")
    assert leaf_parts("multipart/mixed;boundary=b", body) == (Body("a/b", b"one"), Body("text/plain", b"two"))


def test_parts_inside_parts_give_their_leaves_in_order() -> None:
    """R1-03: nested."""
    inner = mixed(b"\r\n1", b"Content-Type: a/b\r\n\r\n2", boundary="in")
    body = mixed(b"Content-Type: multipart/alternative;boundary=in\r\n\r\n" + inner, b"\r\n3")
    assert [leaf.content for leaf in leaf_parts("multipart/mixed;boundary=b", body)] == [b"1", b"2", b"3"]


def test_depth_and_number_of_parts_have_limits() -> None:
    """R1-05: caps."""
    assert len(leaf_parts("multipart/mixed;boundary=b", mixed(*[b"\r\nx"] * 100))) == MAX_PARTS
    inner = b"Content-Type: multipart/mixed;boundary=in\r\n\r\n" + mixed(*[b"\r\nx"] * 100, boundary="in")
    assert len(leaf_parts("multipart/mixed;boundary=b", mixed(*[inner] * 100))) == MAX_PARTS
    deep = b"\r\nx"
    for level in range(MAX_DEPTH + 2):
        name = f"b{level}"
        deep = f"Content-Type: multipart/mixed;boundary={name}\r\n\r\n".encode() + mixed(deep, boundary=name)
    head, _, content = deep.partition(b"\r\n\r\n")
    (leaf,) = leaf_parts(head.decode().partition(": ")[2], content)
    assert leaf.content_type == "multipart/mixed"


@pytest.mark.parametrize(
    "content_type",
    ["multipart/mixed", "multipart/mixed;boundary=", f"multipart/mixed;boundary={'b' * (MAX_BOUNDARY + 1)}",
     "multipart/mixed;boundary=\ud800"],
)  # fmt: skip
def test_a_multipart_without_a_usable_boundary_is_a_leaf(content_type: str) -> None:
    (leaf,) = leaf_parts(content_type, mixed(b"\r\nx"))
    assert (leaf.content_type, leaf.content) == ("multipart/mixed", mixed(b"\r\nx"))


def test_a_body_cut_short_gives_what_is_there() -> None:
    """R1-05"""
    body = mixed(b"\r\none", b"Content-Type: application/isup\r\n\r\ntwo")
    cut = body[: body.index(b"two") + 1]
    assert [leaf.content for leaf in leaf_parts("multipart/mixed;boundary=b", cut)] == [b"one", b"t"]
    (_, headers_only) = leaf_parts("multipart/mixed;boundary=b", body[: body.index(b"two") - 4])
    assert headers_only == Body("application/isup", b"")
    assert split_parts(b"b", b"--b") == [b""]
    assert split_parts(b"b", b"--b\r\n--b--") == [b""]
    assert split_parts(b"b", b"nothing") == []


def test_a_part_without_content_type_is_text() -> None:
    (leaf,) = leaf_parts("multipart/mixed;boundary=b", mixed(b"Content-ID: <1>\r\n\r\nx"))
    assert leaf == Body("text/plain", b"x")


def test_header_names_become_long_and_lower_case() -> None:
    """Compact forms, any case, space before the colon (RFC 3261 7.3.1, 7.3.3)."""
    assert read_headers(["f: a", "FROM:b", "X-Any \t: c", "v :d", "Subject:", "s : : x"]) == (
        ("from", "a"),
        ("from", "b"),
        ("x-any", "c"),
        ("via", "d"),
        ("subject", ""),
        ("subject", ": x"),
    )
    assert all(long_name(short.upper()) == name for short, name in COMPACT.items())


def test_folded_lines_are_joined_and_broken_lines_left_out() -> None:
    lines = [
        " orphan",
        "A1: 1,",
        "\t2,",
        "   ",
        " 3",
        "no colon",
        " its tail",
        ": no name",
        " tail",
        "b1:",
        " late",
        "",
    ]
    assert read_headers(lines) == (("a1", "1, 2, 3"), ("b1", "late"))


def test_the_memory_for_names_is_limited() -> None:
    """R1-05: a flood of invented names does not grow the process."""
    from routing import header_block

    for number in range(5000):
        long_name(f"X-{number}")
    long_name("X" * 1000)
    assert len(header_block._long) <= header_block._REMEMBERED
    assert long_name("X-4999 ") == "x-4999"


PIECES = [b"--b", b"--b--", b"\r\n", b"\n", b"c: multipart/x;boundary=b", b"x", b" "]


@given(
    st.binary(max_size=200) | st.lists(st.sampled_from(PIECES)).map(b"".join),
    st.text(max_size=40) | st.just("multipart/mixed;boundary=b"),
)
def test_no_body_makes_the_reader_raise(content: bytes, content_type: str) -> None:
    """R1-05: never a crash."""
    leaves = leaf_parts(content_type, content)
    assert len(leaves) <= MAX_PARTS
    assert sum(len(leaf.content) for leaf in leaves) <= len(content)


@given(st.lists(st.binary(max_size=50).filter(lambda part: b"--b" not in part), min_size=1, max_size=MAX_PARTS))
def test_parts_come_out_byte_exact(contents: list[bytes]) -> None:
    """R1-03"""
    body = mixed(*[b"Content-Type: a/b\r\n\r\n" + content for content in contents])
    assert [leaf.content for leaf in leaf_parts("multipart/mixed;boundary=b", body)] == contents
