"""The numbers that operators see."""

import asyncio
from collections.abc import Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from b2bua.metrics import MAX_CHILDREN, Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample of a scrape by name and sorted labels."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_calls_are_counted_by_direction_result_and_cause(metrics: Metrics) -> None:
    metrics.calls.inc("inbound", "answered", "normal")
    metrics.calls.inc("inbound", "answered", "normal")
    metrics.calls.inc("inbound", "failed", "busy")
    found = samples(metrics)
    labels = (("cause", "normal"), ("direction", "inbound"), ("result", "answered"))
    assert found["tandem_calls_total", labels] == 2
    assert metrics.calls.value("inbound", "answered", "normal") == 2
    assert metrics.calls.value("inbound", "failed", "no-answer") == 0


def test_a_count_with_the_wrong_labels_is_an_error(metrics: Metrics) -> None:
    with pytest.raises(ValueError, match="label"):
        metrics.calls.inc("inbound")


def test_no_peer_can_fill_the_memory_with_label_values(metrics: Metrics) -> None:
    for number in range(MAX_CHILDREN + 50):
        metrics.sip_refusals.inc(f"cause {number}")
    rows = [key for key in samples(metrics) if key[0] == "tandem_sip_refusals_total"]
    assert len(rows) == MAX_CHILDREN + 1
    assert metrics.sip_refusals.value("cause 0") == 1
    assert samples(metrics)["tandem_sip_refusals_total", (("cause", "other"),)] == 50


def test_setup_times_are_spread_over_buckets_by_stage(metrics: Metrics) -> None:
    metrics.setup.observe(0.0015, "ringing")
    metrics.setup.observe(7.0, "answered")
    found = samples(metrics)
    assert found["tandem_call_setup_seconds_bucket", (("le", "0.001"), ("stage", "ringing"))] == 0
    assert found["tandem_call_setup_seconds_bucket", (("le", "0.002"), ("stage", "ringing"))] == 1
    assert found["tandem_call_setup_seconds_sum", (("stage", "answered"),)] == 7.0


def test_the_quality_of_a_leg_counts_only_what_is_known(metrics: Metrics) -> None:
    metrics.leg_quality("caller", "carrier", 0.002, 0.004, None, 0.03)
    metrics.leg_quality("agent", "", 0.0, 0.001, 4.4, None)
    found = samples(metrics)
    labels = (("role", "caller"), ("trunk", "carrier"))
    assert found["tandem_rtp_lost_ratio_count", labels] == 1
    assert found["tandem_rtp_jitter_seconds_count", labels] == 1
    assert found["tandem_rtp_round_trip_seconds_count", labels] == 1
    assert ("tandem_rtp_mos_count", labels) not in found
    phone = (("role", "agent"), ("trunk", ""))
    assert found["tandem_rtp_mos_count", phone] == 1
    assert ("tandem_rtp_round_trip_seconds_count", phone) not in found


def test_what_others_count_is_read_at_the_scrape(metrics: Metrics) -> None:
    gate = {"405": 3, "481": 1}

    def read() -> Mapping[str, float]:
        return gate

    metrics.follow("counter", "gate", "Packets the gate answered itself.", read, label="answer")
    metrics.follow("gauge", "spool_pending", "Records not yet in the database.", lambda: 7)
    gate["405"] = 4
    found = samples(metrics)
    assert found["tandem_gate_total", (("answer", "405"),)] == 4
    assert found["tandem_spool_pending", ()] == 7


def test_a_reading_that_fails_leaves_the_others_alone(metrics: Metrics) -> None:
    def gone() -> float:
        raise RuntimeError("stopped")

    metrics.follow("gauge", "gone", "Somebody who left.", gone)
    metrics.follow("gauge", "here", "Somebody who stayed.", lambda: 1)
    found = samples(metrics)
    assert found["tandem_here", ()] == 1
    assert found["tandem_metrics_unread_total", ()] == 1


def test_the_worst_lag_is_told_once(metrics: Metrics) -> None:
    metrics.lag.seen(0.004)
    metrics.lag.seen(0.03)
    metrics.lag.seen(-0.001)
    assert samples(metrics)["tandem_loop_lag_worst_seconds", ()] == 0.03
    assert samples(metrics)["tandem_loop_lag_worst_seconds", ()] == 0.0


async def test_the_lag_is_measured_by_a_service(metrics: Metrics) -> None:
    metrics.lag.PERIOD = 0.001
    up = asyncio.Event()
    task = asyncio.create_task(metrics.lag.run(up.set))
    async with asyncio.timeout(5):
        await up.wait()
        while not samples(metrics)["tandem_loop_lag_seconds_count", ()]:
            await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


def test_every_metric_of_ours_has_a_help_text(metrics: Metrics) -> None:
    families = list(text_string_to_metric_families(metrics.text().decode()))
    ours = [family for family in families if family.name.startswith("tandem_")]
    assert len(ours) > 15
    assert all(family.documentation.endswith(".") for family in ours)
