"""How long commands are kept: what the law asks to prove its rates by, and what gaps and limits look back at. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from dialer.campaign_checks import MOST_RETRY
from dialer.profiles import LawProfile


@dataclass(frozen=True, slots=True)
class Keeping:
    """By the laws of this node. A campaign that is gone is kept to the law that it was under."""

    laws: Mapping[str, LawProfile]

    @property
    def least(self) -> float:
        """Seconds for which every command is kept: a call of one campaign counts for all others of its tenant, under
        whichever law they are, and a campaign's own gap may be as long as MOST_RETRY."""
        return max([MOST_RETRY, *(law.look_back for law in self.laws.values())])

    def of(self, law: str) -> float:
        """Seconds for a campaign's commands; of a law that is not known (any more), the longest of all."""
        known = self.laws.get(law)
        laws = list(self.laws.values()) if known is None else [known]
        return max([self.least, *(one.keep_records for one in laws)])
