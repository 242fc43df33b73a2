"""Tells of sound that is one-way or dead, and of trunks that sound poor: event, metric, log line.

The events go to listeners and webhooks like all others; nothing here ends a call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from b2bua.log import logger
from b2bua.sip.engine.quality import strangers
from media.leg_alarm import Trouble
from media.poor_share import PoorShare, Rule

if TYPE_CHECKING:
    from b2bua.calls.exchange import Exchange
    from b2bua.calls.session import Session
    from b2bua.sip.engine import SipLeg

log = logger("quality")

MOST_LINES = 10
"Log lines a second, one a leg; further legs are told of in one line."

WHAT_TO_DO = {
    Trouble.ONE_WAY: "see whether its RTP gets here: firewall, address in its SDP, media_networks of its trunk",
    Trouble.UNHEARD: "see whether our RTP gets there: firewall, address in its SDP, address translation",
    Trouble.DEAD: "see whether its network is still there; media.silence_timeout ends the call if RTCP stays away too",
}


class LegAlarms:
    """Of legs."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._now = Counter[str]()
        self._began: dict[int, float] = {}
        self.told = 0
        "Alarms and their ends since the last turn."
        self._second, self._lines, self._unsaid = 0, 0, 0
        exchange.metrics.follow(
            "gauge", "media_alarms_standing", "Legs whose sound is one-way, unheard or dead now.", self.now, "what"
        )

    @property
    def standing(self) -> int:
        """Legs in trouble now."""
        return self._now.total()

    def now(self) -> Mapping[str, float]:
        """How many legs are in which trouble."""
        return {trouble.value: self._now[trouble.value] for trouble in WHAT_TO_DO}

    def changed(
        self, call: Session, leg_id: int, leg: SipLeg, before: Trouble, after: Trouble, now: float, *, held: bool
    ) -> None:
        """A leg's sound is no longer what it was.  `held`: sound is not expected any more."""
        self._left(before)
        began = self._began.pop(leg_id, now)
        part = call.record.parts.get(leg_id)
        role, n = (part.role, part.n) if part is not None else ("", -1)
        trunk = str(part.detail.get("trunk", "")) if part is not None else ""
        data = {"role": role, "part": n, "trunk": trunk or None, "state": after.value}
        if before is not Trouble.NONE:
            data |= {"was": before.value, "seconds": round(now - began, 1)}
        if after is Trouble.NONE:
            data["why"] = "hold" if held else "sound"
            if self._has_a_line(now):
                log.info("the sound of a leg is as it should be again", call=call.id, **data)
        else:
            self._now[after.value] += 1
            self._began[leg_id] = now
            self._exchange.metrics.media_alarms.inc(after.value, role, trunk)
            if self._has_a_line(now):
                log.warning(
                    "the sound of a leg is not as it should be; the call goes on",
                    call=call.id, **data, refused=strangers(leg), do=WHAT_TO_DO[after],
                )  # fmt: skip
        self.told += 1
        self._exchange.tell("call.media", call, data)

    def turn(self) -> None:
        """The loop gets its turn, or the look is over: what was not said is said in one line."""
        self.told = 0
        if self._unsaid:
            log.warning(
                "the sound of more legs has changed; each has its event", legs=self._unsaid, standing=self.standing,
                do="see what they have in common: tandem_media_alarms_total, docs/quality.md",
            )  # fmt: skip
            self._unsaid = 0

    def _has_a_line(self, now: float) -> bool:
        second = int(now)
        self._lines = 1 if second != self._second else self._lines + 1
        self._second = second
        self._unsaid += self._lines > MOST_LINES
        return self._lines <= MOST_LINES

    def gone(self, leg_id: int, trouble: Trouble) -> None:
        """A leg is over, in this trouble."""
        self._left(trouble)
        self._began.pop(leg_id, None)

    def _left(self, trouble: Trouble) -> None:
        if trouble is not Trouble.NONE:
            self._now[trouble.value] -= 1


class TrunkAlarms:
    """Of trunks."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._shares: dict[str, PoorShare] = {}
        follow = exchange.metrics.follow
        poor = "Share of a trunk's legs that sound poor, those that live and those that have ended lately."
        follow("gauge", "trunk_poor_ratio", poor, lambda: {n: one.share for n, one in self._shares.items()}, "trunk")
        alarmed = "1 while that is an alarm."
        follow(
            "gauge", "trunk_poor", alarmed, lambda: {n: float(one.alarmed) for n, one in self._shares.items()}, "trunk"
        )

    def ended(self, trunk: str, now: float, *, poor: bool) -> None:
        """A leg of it is over."""
        self._share(trunk).ended(now, poor)

    def look(self, now: float, live: Mapping[str, int], poor: Mapping[str, int]) -> None:
        """Once a second: legs that live, and those of them that are poor, by trunk."""
        settings = self._exchange.settings
        rules = settings.quality
        rule = Rule(rules.trunk_window, rules.trunk_legs, rules.trunk_share)
        for trunk in live:
            self._share(trunk)
        for trunk, share in list(self._shares.items()):
            change = share.look(now, rule, live.get(trunk, 0), poor.get(trunk, 0))
            if change is not None:
                self._tell(trunk, share, change)
            if trunk not in settings.trunks and not share.alarmed:
                del self._shares[trunk]

    def _share(self, trunk: str) -> PoorShare:
        share = self._shares.get(trunk)
        if share is None:
            share = self._shares[trunk] = PoorShare()
        return share

    def _tell(self, trunk: str, share: PoorShare, alarmed: bool) -> None:
        data = {"trunk": trunk, "legs": share.legs, "poor": share.poor, "share": round(share.share, 3)}
        exchange = self._exchange
        exchange.events.append("trunk.poor" if alarmed else "trunk.good", None, data)
        exchange.metrics.events.inc("trunk.poor" if alarmed else "trunk.good")
        if alarmed:
            log.warning(
                "calls of a trunk sound poor", **data,
                do="compare mos, rx_lost and alarms in their records; ask the carrier, or see docs/quality.md",
            )  # fmt: skip
        else:
            log.info("calls of a trunk sound good again", **data)
