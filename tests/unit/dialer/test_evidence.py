"""The evidence report: rates of days and campaigns, with what they are computed from."""

import csv
import io
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from dialer.counts import Counts, HourCounts
from dialer.evidence import COLUMNS, EvidenceRow, cells, evidence_rows, of_hours, safe_cell, to_csv, to_html
from dialer.law import LawCounters
from dialer.profiles import UK, US
from tests.unit.dialer.law_cases import BROADCAST, CAMPAIGN, NOON, at

GOOD, BAD = LawCounters(live=97, connected=97), LawCounters(live=3, abandoned=3, none_idle=1)
LONDON = ZoneInfo("Europe/London")
HOSTILE = '=cmd|"/c calc"!A1<script>alert(1)</script>&\'"'


def rows() -> list[EvidenceRow]:
    """Two days of a campaign in London and one of another law."""
    counted = [
        ("spring", at("2026-06-02 12:00"), GOOD),
        ("spring", at("2026-06-02 23:59"), BAD),
        ("spring", at("2026-06-03 00:00"), replace(BAD, live=4, connected=1)),
        ("news", NOON, GOOD),
        ("gone", NOON, GOOD),
    ]
    return evidence_rows(counted, {"spring": UK, "news": US}, LONDON)


def test_days_are_those_of_the_zone_and_thirty_of_them_are_added() -> None:
    """R3-12: the evidence proves the rates of each day and of the long window."""
    first, second, third = rows()
    assert [(row.campaign, row.day) for row in (first, second, third)] == [
        ("news", date(2026, 6, 3)),
        ("spring", date(2026, 6, 2)),
        ("spring", date(2026, 6, 3)),
    ]
    assert second.share == 3 / 100
    assert second.within
    assert third.share == 3 / 4
    assert third.long_share == 6 / 104
    assert not third.within


def test_a_law_of_thirty_days_forgives_a_day() -> None:
    counted = [("spring", NOON - 86_400, replace(GOOD, live=1000, connected=1000)), ("spring", NOON, BAD)]
    assert [row.within for row in evidence_rows(counted, {"spring": US}, LONDON)] == [True, True]
    assert [row.within for row in evidence_rows(counted, {"spring": UK}, LONDON)] == [True, False]


def test_what_the_store_keeps_by_hours_makes_the_report() -> None:
    """Days before the first one are counted in its 30 days and have no row."""
    hours = [
        HourCounts(at("2026-06-01 15:00"), Counts(live=2, abandoned=1)),
        HourCounts(at("2026-06-02 23:00"), Counts(live=6, connected=6)),
    ]
    [row] = evidence_rows(of_hours(CAMPAIGN, hours), {CAMPAIGN.id: US}, LONDON, first=date(2026, 6, 2))
    assert (row.day, row.counters.live, row.long.live, row.long_share) == (date(2026, 6, 2), 6, 8, 1 / 8)
    [row, _] = evidence_rows(of_hours(BROADCAST, hours[1:] + hours[:1]), {CAMPAIGN.id: US}, LONDON)[::-1]
    assert (row.counters.recorded, row.share) == (6, 0.0)


def test_the_thirty_first_day_is_out() -> None:
    counted = [("spring", NOON, BAD), ("spring", NOON + 29 * 86_400, GOOD), ("spring", NOON + 30 * 86_400, GOOD)]
    found = evidence_rows(counted, {"spring": US}, LONDON)
    assert [row.long.abandoned for row in found] == [3, 3, 0]


def test_csv_can_be_computed_again() -> None:
    text = "".join(to_csv(rows()))
    read = list(csv.DictReader(io.StringIO(text)))
    assert len(read) == 3
    for row in read:
        assert list(row) == list(COLUMNS)
        live, abandoned = int(row["answered_live"]), int(row["abandoned"])
        whole = live if row["formula"] == "ftc" else abandoned + int(row["connected"])
        assert float(row["share"]) == round(abandoned / whole, 6)
        assert (row["within"] == "yes") == (float(row["share_30_days" if row["law"] == "us" else "share"]) <= 0.03)


def test_no_cell_is_a_formula() -> None:
    assert [safe_cell(text) for text in ("=1", "+1", "-1", "@x", "\tx", "1", "a=b", "")] == [
        "'=1", "'+1", "'-1", "'@x", "'\tx", "1", "a=b", ""
    ]  # fmt: skip
    [row] = evidence_rows([(HOSTILE, NOON, GOOD)], {HOSTILE: UK}, LONDON)
    line = next(csv.reader(io.StringIO("".join(to_csv([row])).split("\r\n", 1)[1])))
    assert line[1] == f"'{HOSTILE}"


class Tags(HTMLParser):
    """Every element of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@given(
    st.text(st.characters(exclude_characters="\r\x00", exclude_categories=["Cs"]), min_size=1).filter(str.strip)
    | st.just(HOSTILE)
)
def test_a_page_holds_no_script_and_shows_names_as_they_are(name: str) -> None:
    [row] = evidence_rows([(name, NOON, BAD)], {name: replace(UK, name=name)}, LONDON)
    page = Tags("".join(to_html([row], title=name, made=NOON)))
    assert set(page.tags) == {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "p",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    assert page.tags.count("td") == len(COLUMNS)
    assert name in page.text
    assert "1 days of campaigns, 1 over the cap." in "".join(page.text)


def test_a_page_tells_when_it_was_made_and_marks_what_is_over() -> None:
    page = "".join(to_html(rows(), title="June", made=at("2026-07-01 00:00", "UTC")))
    assert "Made 2026-07-01 00:00:00 UTC." in page
    assert page.count('<tr class="over">') == 1
    assert len(cells(rows()[0])) == len(COLUMNS)
