"""What Prometheus reads of the engine when it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pjsua2 as pj

from b2bua.sip.engine.sources import ports, totals
from media.sound import Desk

if TYPE_CHECKING:
    from b2bua.metrics import Metrics
    from b2bua.sip.engine.endpoint import Engine


def follow_engine(metrics: Metrics, engine: Engine) -> None:
    """The gate, callbacks, strangers' sound and ports."""
    follow = metrics.follow
    gate = "What the gate and the dialog usage did, by counter."
    follow("counter", "gate_total", gate, engine.counters, "counter")
    follow("counter", "sip_faults_total", "Mistakes of our own in SIP callbacks.", lambda: engine.faults)
    strangers = "RTP and RTCP packets that were not from a leg's far end, by reason: counted and dropped."
    follow("counter", "sound_refused_total", strangers, totals, "reason")
    packets = "RTP packets over all legs, by what became of them."
    follow("counter", "sound_packets_total", packets, pj.tandem_relay_counters, "result")
    pairs = "Pairs of legs that are to hear each other, by the way that their sound takes now."
    follow("gauge", "bridges", pairs, _ways, "path")
    turns = "Times that a pair's sound took another way, by what decided it."
    follow("counter", "bridge_paths_total", turns, _reasons, "reason")
    accounts = "Accounts of trunks inside the SIP stack."
    follow("gauge", "trunk_accounts", accounts, lambda: engine.carriers.count if hasattr(engine, "carriers") else 0)
    follow("gauge", "rtp_ports_used", "Pairs of RTP ports that legs hold.", lambda: ports().used)
    follow("gauge", "rtp_ports", "Pairs of RTP ports there are.", lambda: ports().all)
    follow("counter", "rtp_ports_exhausted_total", "Legs for which none was left.", lambda: ports().exhausted)


def _ways() -> dict[str, float]:
    return {str(way): count for way, count in Desk.current.pairs.ways.items()} if Desk.current is not None else {}


def _reasons() -> dict[str, float]:
    return {str(why): count for why, count in Desk.current.pairs.reasons.items()} if Desk.current is not None else {}
