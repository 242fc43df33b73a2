"""The admission limit, against a node of arithmetic: calls cost time, refusals cost a little, time is ours."""

import pytest

from b2bua.sip.admission import BEGIN, CROWDED, LEAST, REFUSAL, TARGET, Admission, Sample, most_legs

STEP = 0.25


class Node:
    """A thread that can do `1 / cost` calls a second, with something else to do as well."""

    def __init__(self, cost: float, base: float = 0.0, *, refusal: float = REFUSAL, late: int = 0) -> None:
        """`refusal`: seconds for a call that is refused. `late`: steps after which half of a call's cost comes."""
        self.cost, self.base, self.refusal = cost, base, refusal
        self.admission = Admission()
        self.limit = self.admission.on(Sample(0, 0, 0, 0, 0, 0))
        self.rates: list[float] = []
        self._owed = [0.0] * late

    def run(self, offered: float, seconds: float) -> float:
        """Goodput of that time: calls a second that were taken and that the thread could do."""
        done = 0.0
        for _ in range(round(seconds / STEP)):
            taken = min(offered, self.limit.rate)
            refused = offered - taken
            self._owed.append(taken)
            calls = (taken + self._owed.pop(0)) / 2
            work = self.base + calls * self.cost + refused * self.refusal
            done += taken / max(1.0, work) * STEP
            busy, turned = min(work, 1.0), round(refused * STEP)
            late = max(work - 1.0, 0.0) * 2
            told = self.refusal if turned > 50 else 0.0
            self.limit = self.admission.on(Sample(STEP, busy * STEP, round(taken * STEP), turned, late, turned, told))
            self.rates.append(self.limit.rate)
        return done / seconds


@pytest.mark.parametrize("cost", [0.001, 0.003, 0.01])
def test_the_limit_is_a_little_above_four_fifths_of_what_passes_without_it(cost: float) -> None:
    node = Node(cost)
    node.run(1.5 / cost, 20)
    assert TARGET * 0.97 / cost < node.run(1.5 / cost, 10) < CROWDED / cost


@pytest.mark.parametrize("cost", [0.0025, 0.003, 0.01])
@pytest.mark.parametrize("refusal", [20e-6, 60e-6])
@pytest.mark.parametrize("late", [0, 2])
def test_ten_times_the_load_leaves_nine_tenths_of_the_nominal_goodput(cost: float, refusal: float, late: int) -> None:
    """Whatever a refusal costs on this machine, and although half of what a call costs comes when it ends."""
    node = Node(cost, refusal=refusal, late=late)
    nominal = 0.8 / cost
    assert node.run(nominal, 8) >= 0.98 * nominal
    node.run(10 * nominal, 5)
    assert node.run(10 * nominal, 20) >= 0.97 * nominal


def test_the_limit_does_not_swing_where_calls_cost_again_when_they_end() -> None:
    node = Node(0.0036, refusal=60e-6, late=3)
    node.run(2000, 10)
    node.rates.clear()
    node.run(2000, 10)
    assert max(node.rates) <= 1.15 * min(node.rates)


def test_where_refusing_alone_fills_the_thread_calls_keep_their_share() -> None:
    node = Node(0.001)
    node.run(12_000, 20)
    assert node.run(12_000, 10) >= 200


def test_what_else_the_thread_does_leaves_less_for_calls() -> None:
    node = Node(0.002, base=0.4)
    node.run(1000, 20)
    assert (TARGET - 0.4) * 0.97 / 0.002 < node.run(1000, 10) < (CROWDED - 0.4) / 0.002


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
