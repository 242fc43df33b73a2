"""What Prometheus reads: every promised family is there, has a help text, and moves when calls do."""

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.legs import hear_each_other
from tests.e2e.several_trunks import diverted_by, end
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

COUNTERS = {
    "tandem_calls": {"direction", "result", "cause"},
    "tandem_correlation": {"outcome", "source"},
    "tandem_default_route": {"reason"},
    "tandem_token_claims": {"result"},
    "tandem_sip_refusals": {"cause"},
    "tandem_faults": {"place"},
    "tandem_gate": {"counter"},
    "tandem_events": {"type"},
    "tandem_storage_ops": {"kind", "result"},
}
HISTOGRAMS = {
    "tandem_call_setup_seconds", "tandem_loop_lag_seconds", "tandem_rtp_lost_ratio", "tandem_rtp_jitter_seconds",
    "tandem_rtp_mos",
}  # fmt: skip
GAUGES = {"tandem_calls_active", "tandem_legs_active", "tandem_loop_lag_worst_seconds", "tandem_spool_pending"}


async def test_all_families_are_there_and_explained(server: Server) -> None:
    """R1-05: what an operator watches exists before the first call, with a sentence that says what it is."""
    families = {family.name: family for family in text_string_to_metric_families(await server.api.metrics())}
    for name, kind in [*((n, "counter") for n in COUNTERS), *((n, "histogram") for n in HISTOGRAMS)]:
        assert families[name].type == kind, name
    assert families.keys() >= GAUGES
    for family in families.values():
        assert family.documentation.strip().endswith("."), family.name
    for name, labels in COUNTERS.items():
        for sample in families[name].samples:
            assert sample.labels.keys() == labels, name


async def test_a_call_moves_them_all(server: Server, caller: Caller, phone: Phone) -> None:
    """R1-03, R1-05, R1-09: results and causes, set-up times, active legs, sources, claims, gate, lag, sound."""
    api = server.api
    await api.furnish(phone.uri)
    await api.add_route("reception", "1001")
    token = await api.issue_token()
    headers = diverted_by(token["original_called_number"])
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers)
    await phone.answers()
    await caller.answered()
    await hear_each_other(caller, phone)
    assert (await api.metric("tandem_calls_active"), await api.metric("tandem_legs_active")) == (1, 2)
    await end(caller, phone)
    await api.cdr()

    async def no_legs() -> bool:
        return not (await api.metric("tandem_legs_active") or await api.metric("tandem_calls_active"))

    await eventually_true(no_legs, "no leg is left")
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER)
    await caller.expect(403)
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers)
    await caller.expect(410)
    await api.cdrs(3)
    await (await caller.request("REGISTER", server.outside)).expect(405)

    for name, labels, grown in (
        ("tandem_calls_total", {"direction": "inbound", "result": "answered", "cause": "normal"}, 1),
        ("tandem_calls_total", {"result": "failed", "cause": "missing"}, 1),
        ("tandem_calls_total", {"result": "failed", "cause": "token-used"}, 1),
        ("tandem_call_setup_seconds_count", {"stage": "ringing"}, 1),
        ("tandem_call_setup_seconds_count", {"stage": "answered"}, 1),
        ("tandem_correlation_total", {"outcome": "correlated", "source": "diversion"}, 1),
        ("tandem_correlation_total", {"outcome": "missing", "source": "none"}, 1),
        ("tandem_correlation_total", {"outcome": "token-used", "source": "diversion"}, 1),
        ("tandem_token_claims_total", {"result": "claimed"}, 1),
        ("tandem_token_claims_total", {"result": "used"}, 1),
        ("tandem_events_total", {"type": "call.received"}, 3),
        ("tandem_rtp_mos_count", {"role": "caller"}, 1),
        ("tandem_rtp_mos_count", {"role": "agent"}, 1),
        ("tandem_rtp_jitter_seconds_count", {}, 2),
        ("tandem_rtp_lost_ratio_count", {}, 2),
        ("tandem_faults_total", {}, 0),
    ):
        assert await api.counted(name, **labels) == grown, (name, labels)
    assert await api.counted("tandem_gate_total") > 0
    assert await api.counted("tandem_loop_lag_seconds_count") > 0
    assert await api.counted("tandem_storage_ops_total", kind="write", result="ok") > 0
