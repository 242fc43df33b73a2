"""Answers of tenants' systems: what is read from them, and that nothing in them can hurt (R1-07)."""

import json
import sys
import xmlrpc.client
from datetime import datetime
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.outside.answer import MAX_DEPTH, MAX_ELEMENTS, Fault, Garbage, Pulled, read_json, read_xmlrpc

FULL = {"caller": "13800138000", "extension": "8001", "data": {"order": 7, "vip": True, "tags": ["a", None, 1.5]}}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def xml(value: Any) -> bytes:
    return xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True).encode()


def test_json_and_xmlrpc_give_the_same_value() -> None:
    """R1-07: either transport."""
    assert read_json(json.dumps(FULL).encode()) == read_xmlrpc(xml(FULL)) == Pulled("13800138000", "8001", FULL["data"])  # type: ignore[arg-type]


def test_every_member_may_be_absent() -> None:
    assert read_json(b"{}") == read_xmlrpc(xml({})) == Pulled(None, None, {})


def test_a_number_kept_as_a_number_is_taken_as_its_digits() -> None:
    assert read_json(b'{"caller": 13800138000, "extension": 8001}') == Pulled("13800138000", "8001", {})


def test_xmlrpc_dates_and_bytes_become_text() -> None:
    value = {"data": {"at": datetime(2024, 5, 1, 12, 30), "raw": b"\x00\xff"}}
    assert read_xmlrpc(xml(value)).data == {"at": "2024-05-01T12:30:00", "raw": "AP8="}


def test_a_text_of_hundreds_of_thousands_of_values_is_refused_unread() -> None:
    """A megabyte of them would hold up all calls while it is read; a long text in one value does not."""
    with pytest.raises(Garbage, match="commas"):
        read_json(b"[" + b"1," * 500_000 + b"1]")
    assert read_json(json.dumps({"data": {"note": "word, " * 10_000}}).encode()).data["note"].startswith("word, ")


def test_a_text_of_line_breaks_comes_in_one_piece() -> None:
    """Else each break is a call of its own: a mebibyte of them held the loop for a third of a second."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += frame.f_code.co_name == "data" and event == "call"

    text = "\n" * 30_000
    sys.setprofile(count)
    try:
        read = read_xmlrpc(xml({"data": {"text": text}}))
    finally:
        sys.setprofile(None)
    assert read.data == {"text": text}
    assert calls < 100


def test_text_a_database_cannot_keep_is_cleaned() -> None:
    assert read_json(b'{"data": {"a\\u0000b": "\\ud800"}}').data == {"ab": "?"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\xfd",
        b"<html>",
        b"[]",
        b"null",
        b'{"data": []}',
        b'{"caller": ["1"]}',
        b'{"caller": true}',
        b'{"caller": "1\\n2"}',
        b'{"extension": "' + b"8" * 33 + b'"}',
        b'{"data": {"x": NaN}}',
        b'{"data": {"x": 1e999}}',
        b"[" * 60_000,
        b'{"data": {"x": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}}",
        b'{"data": {"x": [' + b"0," * MAX_ELEMENTS + b"0]}}",
        b'{"x": ' + b"9" * 5000 + b"}",
    ],
)
def test_json_garbage_is_refused(body: bytes) -> None:
    with pytest.raises(Garbage):
        read_json(body)


BOMB = b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<methodResponse><params><param><value><string>&b;</string></value></param></params></methodResponse>"""
EXTERNAL = b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<methodResponse><params><param><value><string>&x;</string></value></param></params></methodResponse>"""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<a>",
        BOMB,
        EXTERNAL,
        xml({})[:-20],
        b"<a>" * 1000,
        b"<methodResponse><params>" + b"<param/>" * MAX_ELEMENTS + b"</params></methodResponse>",
        b"<methodResponse><fault><value><int>1</int></value></fault></methodResponse>",
        b"<methodResponse><params/></methodResponse>",
        b"<methodResponse><params><param><value><int>x</int></value></param></params></methodResponse>",
        b"<methodResponse><params><param><value><struct></value></struct></param></params></methodResponse>",
        xml([1, 2]),
    ],
)
def test_xml_garbage_entities_and_bombs_are_refused(body: bytes) -> None:
    with pytest.raises(Garbage):
        read_xmlrpc(body)


def test_a_fault_is_told_from_garbage_and_its_text_is_not_repeated() -> None:
    body = xmlrpc.client.dumps(xmlrpc.client.Fault(7, "SELECT * FROM customers"), methodresponse=True).encode()
    with pytest.raises(Fault, match=r"^fault 7$"):
        read_xmlrpc(body)


@given(st.binary(max_size=300) | JSON_VALUES.map(lambda v: json.dumps(v).encode()))
def test_reading_json_raises_nothing_but_its_own_error(body: bytes) -> None:
    try:
        json.dumps(read_json(body).data, allow_nan=False).encode()
    except Garbage:
        pass


TAGS = [
    "methodResponse",
    "params",
    "param",
    "value",
    "struct",
    "member",
    "name",
    "int",
    "array",
    "data",
    "nil",
    "fault",
]
PIECES = st.sampled_from([f"<{t}>" for t in TAGS] + [f"</{t}>" for t in TAGS] + ["1", "x", "&amp;", "<double>"])


@given(st.binary(max_size=300) | st.lists(PIECES, max_size=40).map(lambda p: "".join(p).encode()))
def test_reading_xml_raises_nothing_but_its_own_errors(body: bytes) -> None:
    try:
        read_xmlrpc(body)
    except (Garbage, Fault):
        pass


@given(st.dictionaries(st.text(), JSON_VALUES, max_size=5))
def test_whatever_is_read_can_be_written_as_json(data: dict[str, Any]) -> None:
    try:
        pulled = read_json(json.dumps({"data": data}).encode())
    except Garbage:
        return
    json.dumps(pulled.data, allow_nan=False).encode()
