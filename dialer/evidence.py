"""The evidence report: the rates of each day and campaign with all that they are computed from, as CSV and HTML.

counted = of_hours(campaign, await store.counters(campaign.id, since=first - LONG))
rows = evidence_rows(counted, {campaign.id: law}, zone, first=date(2026, 6, 1))
page = to_html(rows, title="June", made=now)         # or to_csv(rows); both give pieces, for a stream
"""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dialer.law import NAMES, NOTHING, LawCounters

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

    from dialer.campaign import Campaign
    from dialer.counts import HourCounts
    from dialer.profiles import LawProfile

DAYS = 30
"Days of the long window."
LONG = DAYS * 86_400.0
"The same in seconds: so much before the first day must be known."
FORMULA_START = ("=", "+", "-", "@", "\t", "\r")
"What makes a spreadsheet take a cell for a formula."


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One day of one campaign under one law."""

    day: date
    campaign: str
    profile: LawProfile
    counters: LawCounters
    "Of the day."
    long: LawCounters
    "Of the 30 days that end with it."

    @property
    def share(self) -> float:
        """Abandoned share of the day by the profile's formula."""
        return self.counters.share(self.profile.formula, self.profile.false_positive)

    @property
    def long_share(self) -> float:
        """The same of the 30 days."""
        return self.long.share(self.profile.formula, self.profile.false_positive)

    @property
    def within(self) -> bool:
        """Whether the windows that the law looks at are under its cap; a campaign's whole life is looked at last."""
        looked = [self.share] if "24h" in self.profile.windows else []
        looked += [self.long_share] if {"30d", "campaign"} & set(self.profile.windows) else []
        return all(share <= self.profile.cap for share in looked)


def of_hours(campaign: Campaign, hours: Iterable[HourCounts]) -> Iterator[tuple[str, float, LawCounters]]:
    """What the store keeps of one campaign, as `evidence_rows` takes it. An hour is of the day that it begins in."""
    for one in hours:
        yield campaign.id, one.hour, LawCounters.of_counts(one.counts, recorded=not campaign.has_agents)


def evidence_rows(
    counted: Iterable[tuple[str, float, LawCounters]],
    profiles: Mapping[str, LawProfile],
    zone: ZoneInfo,
    *,
    first: date | None = None,
) -> list[EvidenceRow]:
    """Rows by campaign and day, the days being those of `zone`, from `first` on.

    `counted`: campaign, epoch seconds, counters of that time (a call, an hour), those of the 30 days before the first
    day as well; `profiles` by campaign: campaigns that are not in it are left out.
    """
    by_day: dict[str, dict[date, LawCounters]] = {}
    for campaign, at, counters in counted:
        if campaign in profiles:
            days = by_day.setdefault(campaign, {})
            day = datetime.fromtimestamp(at, zone).date()
            days[day] = days.get(day, NOTHING) + counters
    return [
        EvidenceRow(day, campaign, profiles[campaign], days[day], _sum_to(day, days))
        for campaign, days in sorted(by_day.items())
        for day in sorted(days)
        if first is None or day >= first
    ]


def _sum_to(day: date, days: dict[date, LawCounters]) -> LawCounters:
    total = NOTHING
    for back in range(DAYS):
        total += days.get(day - timedelta(days=back), NOTHING)
    return total


COLUMNS = (
    "day", "campaign", "law", "formula", "cap", "share", "share_30_days", "within", "answered_live",
    "people_taken_for_machines", "false_positive", "answered_live_30_days", "abandoned_30_days", "none_idle_share",
    *NAMES,
)  # fmt: skip


def cells(row: EvidenceRow) -> tuple[str, ...]:
    """One row as text, in the order of `COLUMNS`; shares with six digits, so that they can be computed again."""
    law, counters = row.profile, row.counters
    return (
        row.day.isoformat(),
        row.campaign,
        law.name,
        law.formula,
        f"{law.cap:.6f}",
        f"{row.share:.6f}",
        f"{row.long_share:.6f}",
        "yes" if row.within else "no",
        str(counters.answered_live),
        f"{counters.people_lost(law.false_positive):.3f}",
        f"{law.false_positive:.6f}",
        str(row.long.answered_live),
        str(row.long.abandoned),
        f"{counters.none_idle_share:.6f}",
        *(str(getattr(counters, name)) for name in NAMES),
    )


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_START) else text


def to_csv(rows: Iterable[EvidenceRow]) -> Iterator[str]:
    """The report as CSV (RFC 4180), line by line, the names of the columns first."""
    out = io.StringIO()
    writer = csv.writer(out)
    for line in ([*COLUMNS], *([safe_cell(cell) for cell in cells(row)] for row in rows)):
        writer.writerow(line)
        yield out.getvalue()
        out.seek(0)
        out.truncate()


_STYLE = (
    "body{font:14px/1.4 sans-serif;margin:2em}table{border-collapse:collapse}"
    "th,td{border:1px solid #bbb;padding:.2em .5em;text-align:right;white-space:nowrap}"
    "th:nth-child(-n+4),td:nth-child(-n+4){text-align:left}tr.over{background:#fdd}"
)


def to_html(rows: Sequence[EvidenceRow], *, title: str, made: float) -> Iterator[str]:
    """The report as one page without scripts, piece by piece; `made`: epoch seconds at which it was asked for."""
    when = datetime.fromtimestamp(made, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    over = sum(not row.within for row in rows)
    yield (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{html.escape(title)}</h1>\n"
        f"<p>Made {when}. {len(rows)} days of campaigns, {over} over the cap.</p>\n{_EXPLANATION}\n<table><thead><tr>"
    )
    yield from (f"<th>{html.escape(name.replace('_', ' '))}</th>" for name in COLUMNS)
    yield "</tr></thead><tbody>\n"
    for row in rows:
        begin = "<tr>" if row.within else '<tr class="over">'
        yield begin + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells(row)) + "</tr>\n"
    yield "</tbody></table></body></html>\n"


_EXPLANATION = (
    "<p>Abandoned: answered by a person, and no agent within the limit; late connects are abandoned. People taken for"
    " machines are estimated as analysed / (1 - f) * f, f being the false positive share. Formula ftc: (abandoned"
    " + estimate) / (answered live + estimate). Formula ofcom: (abandoned + estimate) / (abandoned + estimate +"
    " connected); without detection the abandoned are reduced by the share of machines among the calls that agents were"
    " given. Who hung up before the limit is answered only. None idle: abandoned while no agent was idle. Machines,"
    " faults of trunks and inbound calls are in no share.</p>"
)
