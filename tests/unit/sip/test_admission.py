"""The admission limit, against a node of arithmetic: calls cost time, refusals cost a little, time is ours."""

import pytest

from b2bua.sip.admission import BEGIN, LEAST, REFUSAL, TARGET, Admission, Sample, most_legs

STEP = 0.25


class Node:
    """A thread that can do `1 / cost` calls a second, with something else to do as well."""

    def __init__(self, cost: float, base: float = 0.0) -> None:
        self.cost, self.base = cost, base
        self.admission = Admission()
        self.limit = self.admission.on(Sample(0, 0, 0, 0, 0, 0))
        self.taken = 0.0

    def run(self, offered: float, seconds: float) -> float:
        """Goodput of that time: calls a second that were taken and that the thread could do."""
        done = 0.0
        for _ in range(round(seconds / STEP)):
            taken = min(offered, self.limit.rate)
            refused = offered - taken
            work = self.base + taken * self.cost + refused * REFUSAL
            done += taken / max(1.0, work) * STEP
            busy = min(work, 1.0)
            late = max(work - 1.0, 0.0) * 2
            sample = Sample(STEP, busy * STEP, round(taken * STEP), round(refused * STEP), late, round(refused * STEP))
            self.limit = self.admission.on(sample)
        return done / seconds


@pytest.mark.parametrize("cost", [0.001, 0.003, 0.01])
def test_the_limit_is_four_fifths_of_what_passes_without_it(cost: float) -> None:
    node = Node(cost)
    node.run(1.5 / cost, 20)
    assert node.run(1.5 / cost, 10) == pytest.approx(TARGET / cost, rel=0.05)


@pytest.mark.parametrize("cost", [0.0025, 0.003, 0.01])
def test_ten_times_the_load_leaves_nine_tenths_of_the_nominal_goodput(cost: float) -> None:
    node = Node(cost)
    node.run(0.5 / cost, 5)
    node.run(10 / cost, 5)
    assert node.run(10 / cost, 20) >= 0.9 * TARGET / cost


def test_where_refusing_alone_fills_the_thread_calls_keep_their_share() -> None:
    node = Node(0.001)
    node.run(12_000, 20)
    assert node.run(12_000, 10) >= 200


def test_what_else_the_thread_does_leaves_less_for_calls() -> None:
    node = Node(0.002, base=0.4)
    node.run(1000, 20)
    assert node.run(1000, 10) == pytest.approx((TARGET - 0.4) / 0.002, rel=0.05)


@pytest.mark.parametrize("cost", [0.001, 0.003])
def test_after_the_flood_the_usual_load_passes_within_five_seconds(cost: float) -> None:
    node = Node(cost)
    usual = 0.7 * TARGET / cost
    node.run(usual, 5)
    node.run(20 / cost, 30)
    node.run(usual, 5)
    assert node.run(usual, 1) == pytest.approx(usual, rel=0.02)


def test_a_burst_from_nothing_meets_a_limit_at_once() -> None:
    node = Node(0.003)
    node.run(0, 60)
    assert node.limit.rate == BEGIN


def test_few_calls_are_never_refused_for_what_something_else_costs() -> None:
    """A machine that others keep busy, an import: five calls a second are not what makes the loop late."""
    admission = Admission()
    for _ in range(200):
        limit = admission.on(Sample(STEP, 0.24, 1, 0, 0.6, 0))
    assert limit.rate >= BEGIN * 0.99


def test_calls_refused_for_another_reason_do_not_raise_the_limit() -> None:
    """A trunk that brings more than its own rate, a house whose legs are all taken: the thread is idle meanwhile."""
    admission = Admission()
    for _ in range(200):
        limit = admission.on(Sample(STEP, 0.002, 1, 5, 0.0, 0))
    assert limit.rate == BEGIN


def test_whatever_happens_some_calls_are_taken() -> None:
    admission = Admission()
    for _ in range(500):
        limit = admission.on(Sample(STEP, STEP, 50, 100, 2.0, 100))
    assert limit.rate == LEAST


def test_four_fifths_of_slots_ports_and_descriptors() -> None:
    assert most_legs(slots=2564, rtp_ports=16384, descriptors=65536, in_use=60) == 2051
    assert most_legs(slots=2564, rtp_ports=400, descriptors=65536, in_use=60) == 160
    assert most_legs(slots=2564, rtp_ports=16384, descriptors=1024, in_use=60) == 379
    assert most_legs(slots=2564, rtp_ports=4, descriptors=64, in_use=60) == 2
