"""How a leg's sound was, over all its streams (a re-INVITE begins another one)."""

import pjsua2 as pj

from b2bua.sip.engine.sources import refused
from b2bua.sip.signals import Quality


def with_stream(slot: int, stream: int, before: Quality | None) -> Quality | None:
    """The counters of the stream that ends now added to those of the leg's earlier ones; `before` where it never
    started."""
    counted = pj.tandem_stream(slot, stream)
    if counted is None:
        return before
    codec, rx, rx_lost, tx, tx_lost, jitter_ms, rtt_ms, buffer_ms, *_ = counted
    q = before or Quality(codec, 0, 0, 0, 0, 0.0, 0.0, 0.0)
    return Quality(
        codec,
        q.rx_packets + rx,
        q.rx_lost + rx_lost,
        q.tx_packets + tx,
        q.tx_lost + tx_lost,
        jitter_ms,
        rtt_ms or q.rtt_ms,
        float(buffer_ms),
        refused(slot, stream),  # of the whole leg: its sockets stay
    )
