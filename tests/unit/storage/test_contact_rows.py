"""What is written in a quick way is what the usual way writes."""

from hypothesis import given
from hypothesis import strategies as st

from b2bua.jsontext import decode, encode
from b2bua.storage.contact_rows import numbers_text
from dialer.contact import PhoneNumber

WORDS = st.one_of(st.just(""), st.text(max_size=5))
NUMBERS = st.builds(
    PhoneNumber,
    number=st.one_of(st.from_regex(r"\+[0-9]{4,15}", fullmatch=True), st.text(max_size=8)),
    kind=WORDS,
    zone=WORDS,
    attempts=st.integers(0, 3),
    last_at=st.one_of(st.none(), st.floats(0, 1e10)),
    closed=WORDS,
)


@given(st.lists(NUMBERS, max_size=3))
def test_numbers_are_written_as_json_writes_them(numbers: list[PhoneNumber]) -> None:
    text = numbers_text(numbers)
    rows = [[one.number, one.kind, one.zone, one.attempts, one.last_at, one.closed] for one in numbers]
    assert text == encode(rows)
    assert [PhoneNumber(*one) for one in decode(text)] == numbers


def test_the_usual_number_of_an_import() -> None:
    assert numbers_text([PhoneNumber("+447400123456")]) == '[["+447400123456","","",0,null,""]]'
