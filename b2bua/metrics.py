"""What the server counts and measures, for Prometheus.

One `Metrics` a process (tests make their own).  A count on the hot path is one dictionary look-up and one addition: the
children are kept by their label values.  What somebody else counts already is read at the scrape (`follow`).
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SETUP_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
LAG_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0)
STORAGE_BUCKETS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0, 10.0)
LOSS_BUCKETS = (0.0, 0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25)
JITTER_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16)
ROUND_TRIP_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
MOS_BUCKETS = (1.5, 2.0, 2.5, 3.0, 3.5, 3.8, 4.0, 4.2, 4.4)

WAIT_BUCKETS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)

DECISION_BUCKETS = (0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.02)

MAX_CHILDREN = 2000
"Label sets kept of one metric; further ones are counted under `other`, so that no peer can fill our memory."

# One more series for each counter and histogram, with the time of its first count: nobody has asked for it.
disable_created_metrics()  # type: ignore[no-untyped-call]

Reading = float | Mapping[str, float]
"A number, or one number for each value of the label."


class Count:
    """A counter: `calls.inc("inbound", "answered", "normal")` with the label values in their order."""

    __slots__ = ("_children", "_counter", "_other")

    def __init__(self, registry: CollectorRegistry, name: str, text: str, labels: Iterable[str]) -> None:
        names = tuple(labels)
        self._counter = Counter(name, text, names, registry=registry)
        self._children: dict[tuple[str, ...], Counter] = {}
        self._other = ("other",) * len(names)

    def inc(self, *labels: str, by: float = 1) -> None:
        """Count `by` more.  Takes about half a microsecond once the labels have been seen."""
        child = self._children.get(labels)
        if child is None:
            child = self._child(labels)
        child.inc(by)

    def value(self, *labels: str) -> float:
        """What has been counted under these labels, for tests and the API."""
        child = self._children.get(labels)
        return 0.0 if child is None else child._value.get()

    def _child(self, labels: tuple[str, ...]) -> Counter:
        if len(self._children) >= MAX_CHILDREN:
            labels = self._other
        child = self._children[labels] = self._counter.labels(*labels) if labels else self._counter
        return child


class Spread:
    """A histogram: `setup.observe(0.004, "ringing")`."""

    __slots__ = ("_children", "_histogram")

    def __init__(
        self, registry: CollectorRegistry, name: str, text: str, labels: Iterable[str], buckets: Iterable[float]
    ) -> None:
        self._histogram = Histogram(name, text, tuple(labels), registry=registry, buckets=tuple(buckets))
        self._children: dict[tuple[str, ...], Histogram] = {}

    def observe(self, value: float, *labels: str) -> None:
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self._histogram.labels(*labels) if labels else self._histogram
        child.observe(value)


class _Followed(Collector):
    """Metrics that are read from their owner when Prometheus asks."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Literal["counter", "gauge"], str, str, Callable[[], Reading]]] = {}
        self.failed = 0

    def collect(self) -> Iterable[Metric]:
        for name, (kind, text, label, read) in list(self.rows.items()):
            family: CounterMetricFamily | GaugeMetricFamily
            make = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
            try:
                reading = read()
            except Exception:
                # The owner is starting or gone; the other metrics must come all the same.
                self.failed += 1
                continue
            family = make(name, text, labels=[label] if label else [])
            if isinstance(reading, Mapping):
                for key, value in reading.items():
                    family.add_metric([str(key)], float(value))
            else:
                family.add_metric([], float(reading))
            yield family
        yield CounterMetricFamily(
            "tandem_metrics_unread", "Readings that failed while Prometheus asked.", value=self.failed
        )


class LoopLag:
    """How late the event loop runs what is due: the worst since the last scrape, and all of them as a histogram.

    A service: `run` looks ten times a second.
    """

    name = "loop-lag"
    PERIOD = 0.1

    def __init__(self, registry: CollectorRegistry) -> None:
        self._spread = Spread(
            registry,
            "tandem_loop_lag_seconds",
            "How late the event loop is, seen ten times a second.",
            (),
            LAG_BUCKETS,
        )
        self._worst = 0.0

    async def run(self, ready: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        ready()
        while True:
            due = loop.time() + self.PERIOD
            await asyncio.sleep(self.PERIOD)
            self.seen(loop.time() - due)

    def seen(self, lag: float) -> None:
        """The loop was `lag` seconds late."""
        self._spread.observe(max(lag, 0.0))
        self._worst = max(self._worst, lag)

    def worst(self) -> float:
        """The worst lag since this was last asked, seconds."""
        worst, self._worst = self._worst, 0.0
        return worst


class Metrics:
    """All metrics of the process; operators see their names with `tandem_` in front."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        count, spread = self._count, self._spread
        self.calls = count(
            "calls",
            "Calls ended, by direction, result (answered, failed, cancelled) and cause.",
            "direction result cause",
        )
        self.setup = spread(
            "call_setup_seconds", "INVITE to 180 (ringing) and INVITE to 200 (answered).", "stage", SETUP_BUCKETS
        )
        self.active_calls = self._gauge("calls_active", "Calls alive.")
        self.active_legs = self._gauge("legs_active", "Legs alive; a bridged call has two.")
        self.correlation = count(
            "correlation", "Outcomes of the search for the caller's data, by the source that decided.", "outcome source"
        )
        self.default_route = count("default_route", "Calls that took a default route, by reason.", "reason")
        self.claims = count(
            "token_claims",
            "Claims of tokens, by result (claimed, or why not).",
            "result",
        )
        self.sip_refusals = count("sip_refusals", "Requests turned away before they were a call, by cause.", "cause")
        self.faults = count("faults", "Mistakes of our own that were contained, by place. Report them.", "place")
        self.lag = LoopLag(self.registry)
        self.rtp_lost = spread(
            "rtp_lost_ratio", "Share of RTP packets lost on a leg (received).", "role trunk", LOSS_BUCKETS
        )
        self.rtp_jitter = spread("rtp_jitter_seconds", "Interarrival jitter of a leg.", "role trunk", JITTER_BUCKETS)
        self.rtp_mos = spread("rtp_mos", "Estimated quality of a leg (ITU-T G.107).", "role trunk", MOS_BUCKETS)
        self.rtp_round_trip = spread(
            "rtp_round_trip_seconds", "Round trip of a leg, by RTCP.", "role trunk", ROUND_TRIP_BUCKETS
        )
        self.media_alarms = count(
            "media_alarms", "Legs whose sound was found one-way, unheard or dead, by what, role and trunk.",
            "what role trunk",
        )  # fmt: skip
        self.storage_ops = count(
            "storage_ops",
            "Storage operations, by kind (read, write) and result (ok, refused, unavailable).",
            "kind result",
        )
        self.storage_seconds = spread(
            "storage_seconds", "Time from the request for a storage operation to its result.", "kind", STORAGE_BUCKETS
        )
        self.events = count("events", "Events published, by type.", "type")
        self.webhooks = count(
            "webhook_records", "Tries to send records to listeners over HTTP, by result.", "webhook result"
        )
        self.sms = count("sms", "Tries to send text messages, by result.", "result")
        self.pull = count("pull", "Look-ups in tenants' own systems, by tenant and result.", "tenant result")
        self.service_faults = count(
            "service_faults", "Faults of a part of the server that began again, by its name.", "service"
        )
        self.services = count(
            "service_questions", "Questions to tenants' services, by tenant, role and result.", "tenant role result"
        )
        self.service_seconds = spread("service_seconds", "Time of those questions.", "role", STORAGE_BUCKETS)
        self.analyses = count("analyses", "Calls analysed, by tenant and what named the goal.", "tenant reason")
        self.analysis_seconds = spread("analysis_seconds", "Time of the analysis of a call.", "tenant", STORAGE_BUCKETS)
        self.pull_seconds = spread("pull_seconds", "Time of those look-ups.", "tenant", STORAGE_BUCKETS)
        results = "Recordings, by result (started, finished, cut-off, full, failed)."
        self.recordings = count("recordings", results, "result")
        self.api = count("api_requests", "HTTP requests, by method, route and status.", "method route status")
        self.offers = count("queue_offers", "Phones rung for callers of a queue.", "queue")
        self.refused_offers = count("queue_offers_refused", "Phones that did not take the call, by reason.", "reason")
        self.dequeued = count("queue_left", "Callers who have stopped waiting, by queue and result.", "queue result")
        self.queue_wait = spread("queue_wait_seconds", "How long callers waited, by result.", "result", WAIT_BUCKETS)
        self.estimate_error = spread(
            "queue_estimate_error_seconds",
            "How far the wait a caller was told was from his real one.",
            "",
            WAIT_BUCKETS,
        )
        self.repaired = count(
            "agent_state_repaired", "Differences between the floor and the live calls that were repaired.", "what"
        )
        self.dial_results = count("dial_results", "Commands of campaigns, by outcome.", "campaign outcome")
        self.dial_decisions = count("dial_decisions", "Decisions how many to call, by what decided.", "campaign cause")
        self.dial_decision_seconds = spread("dial_decision_seconds", "Time of a decision.", "", DECISION_BUCKETS)
        self.dial_withheld = count("dial_withheld", "Contacts that were not called, by why.", "reason")
        self.barred = count("outside_refused", "Numbers that were not dialled, by policy and why.", "policy why")
        self.policy_alarms = count(
            "outside_alarms", "Policies that came near their minutes or cost of a day, or to them.", "policy what level"
        )
        self.policy_ended = count("outside_ended", "Running calls that a policy ended.", "policy")
        self.transfers = count("transfers", "Calls sent elsewhere, by way, place and result.", "how kind result")
        self.monitorings = count("monitorings", "Supervisors' wishes to listen to a call, by result.", "result")
        self.consultations = count("consultations", "What became of consulting a colleague in a call.", "result")
        self.parked = count("parked_ended", "Parked callers who stopped waiting, by why.", "why")
        self.picked_up = count("pick_ups", "Calls picked up from another phone or a slot, by result.", "what result")
        self.emergency = count("outside_emergency", "Legs to emergency numbers.", "")
        self.trunk_failovers = count(
            "trunk_failovers",
            "Calls that went on to the next trunk, by the one that did not take them and why.",
            "trunk why",
        )
        self.trunk_skipped = count("trunk_skipped", "Calls that a trunk was not asked to take, by why.", "trunk why")
        self.trunk_probes = count(
            "trunk_probes", "OPTIONS to trunks, by what came back (none: nothing).", "trunk answer"
        )
        self._followed = _Followed()
        self.registry.register(self._followed)
        ProcessCollector(registry=self.registry)
        self.follow("gauge", "loop_lag_worst_seconds", "Worst lag since the last scrape.", self.lag.worst)

    def __repr__(self) -> str:
        return f"<metrics: {self.active_calls._value.get():g} calls, {len(self._followed.rows)} followed>"

    def follow(
        self, kind: Literal["counter", "gauge"], name: str, text: str, read: Callable[[], Reading], label: str = ""
    ) -> None:
        """Ask `read` at every scrape: a number, or with `label` one number for each of its values.

        The same name again takes the place of the one before.
        """
        self._followed.rows[f"tandem_{name}"] = (kind, text, label, read)

    def storage_op(self, kind: str, result: str, seconds: float) -> None:
        """One operation of the storage: `Storage.observe`."""
        self.storage_ops.inc(kind, result)
        self.storage_seconds.observe(seconds, kind)

    def leg_quality(
        self, role: str, trunk: str, lost: float, jitter: float, mos: float | None, round_trip: float | None
    ) -> None:
        """The sound of one leg that ended: loss as a share of 1, jitter and round trip in seconds, MOS 1 to 4.5; None:
        not known.  `trunk` is empty where it is none of a trunk's."""
        for spread, value in (
            (self.rtp_lost, lost),
            (self.rtp_jitter, jitter),
            (self.rtp_mos, mos),
            (self.rtp_round_trip, round_trip),
        ):
            if value is not None:
                spread.observe(value, role, trunk)

    def text(self) -> bytes:
        """The scrape, in Prometheus' text format (`CONTENT_TYPE`)."""
        return generate_latest(self.registry)

    def _count(self, name: str, text: str, labels: str) -> Count:
        return Count(self.registry, f"tandem_{name}", text, labels.split())

    def _spread(self, name: str, text: str, labels: str, buckets: Iterable[float]) -> Spread:
        return Spread(self.registry, f"tandem_{name}", text, labels.split(), buckets)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"tandem_{name}", text, registry=self.registry)
