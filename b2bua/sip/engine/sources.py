"""Whose sound a leg may hear (native/source.c): one rule for each trunk, and one for the phones of each listener."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network

import pjsua2 as pj

from b2bua.settings import Settings

REASONS: tuple[str, ...] = pj.tandem_sound_reasons()
"Why a packet is turned away."


@dataclass(frozen=True, slots=True)
class Ports:
    """Pairs of RTP and RTCP ports."""

    all: int
    used: int
    exhausted: int
    "How often none was left for a leg."


class Sources:
    """The rules of a configuration, made when first asked for; `settings` may be replaced."""

    def __init__(self, settings: Settings) -> None:
        self._rules: dict[tuple[str | None, str], int] = {}
        self.nobody = pj.tandem_source_rule((), 0, 0, 1, 0)
        "For legs of nobody that we know, which end at once."
        self.settings = settings

    def renew(self, settings: Settings) -> None:
        """From the next leg on; legs keep theirs."""
        self.settings = settings
        self._rules.clear()

    def rule(self, trunk: str | None, listener: str) -> int:
        """The number of the rule for a leg of this trunk, or of a phone behind this listener (no trunk)."""
        found = self._rules.get((trunk, listener))
        if found is None:
            found = self._rules[trunk, listener] = self._make(trunk, listener)
        return found

    def _make(self, trunk: str | None, listener: str) -> int:
        quiet = int(self.settings.media.relearn_after * 1000)
        if trunk and (of_trunk := self.settings.trunks.get(trunk)) is not None:
            back = of_trunk.media_return == "source"
            number = pj.tandem_source_rule(pairs(of_trunk.media_networks), 0, back, of_trunk.media_strict, quiet)
        else:
            phones = self.settings.listeners[listener]
            number = pj.tandem_source_rule(pairs(phones.media_networks), 1, 1, phones.media_strict, quiet)
        return number


def pairs(networks: list[str]) -> tuple[tuple[str, int], ...]:
    """Networks as the rules take them."""
    return tuple((str(net.network_address), net.prefixlen) for net in map(ip_network, networks))


def refused(slot: int, line: int) -> tuple[tuple[str, int], ...]:
    """What was turned away on a call's audio line so far, by reason; nothing where there was nothing."""
    counted = pj.tandem_sound_refused(slot, line)
    return tuple((reason, n) for reason, n in zip(REASONS, counted or (), strict=False) if n)


def totals() -> dict[str, int]:
    """The same over all legs since the process began."""
    return dict(zip(REASONS, pj.tandem_sound_totals(), strict=True))


def ports() -> Ports:
    """The pairs of RTP ports now."""
    return Ports(*pj.tandem_ports_state())
