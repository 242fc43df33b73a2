"""Who hears whom, as wishes and steps: the pure part of every bridge, playing and recording."""

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import integers, sampled_from

from media import patch
from media.patch import Point, Step
from media.ports import Line

DRAIN = Line("drain")


def leg(name: str, *, here: bool = True) -> Point:
    return Point(name, Line(name) if here else None, drains=True)


def lines(steps: list[Step]) -> list[tuple[bool, object, object]]:
    return [(step.join, step.source.port, step.sink.port) for step in steps]


def test_a_wish_between_two_that_are_here_is_one_connection() -> None:
    a, b = leg("a"), leg("b")
    assert lines(patch.hear(b, a, DRAIN)) == [(True, "a", "b")]
    assert lines(patch.unhear(b, a)) == [(False, "a", "b")]


def test_a_wish_waits_until_both_are_here() -> None:
    a, b = leg("a", here=False), leg("b", here=False)
    assert patch.hear(b, a, DRAIN) == []
    assert patch.hear(a, b, DRAIN) == []
    assert patch.arrive(a, Line("a"), DRAIN) == []
    assert lines(patch.arrive(b, Line("b"), DRAIN)) == [(True, "a", "b"), (True, "b", "a")]


def test_a_new_line_gets_all_connections_of_the_old_one() -> None:
    a, b, recorder, music = leg("a"), leg("b"), Point("recorder", Line("recorder")), Point("music", Line("music"))
    for sink, source in ((a, b), (b, a), (a, music), (recorder, a)):
        patch.hear(sink, source, DRAIN)
    patch.leave(a)
    assert sorted(lines(patch.arrive(a, Line("a2"), DRAIN))) == [
        (True, "a2", "b"),
        (True, "a2", "recorder"),
        (True, "b", "a2"),
        (True, "music", "a2"),
    ]


def test_wishes_for_the_same_are_counted() -> None:
    a, music = leg("a"), Point("music", Line("music"))
    assert len(patch.hear(a, music, DRAIN)) == 1
    assert patch.hear(a, music, DRAIN) == []
    assert patch.unhear(a, music) == []
    assert lines(patch.unhear(a, music)) == [(False, "music", "a")]
    assert patch.unhear(a, music) == []


def test_a_leg_that_ends_needs_no_step() -> None:
    a, b = leg("a"), leg("b")
    patch.hear(a, b, DRAIN)
    patch.hear(b, a, DRAIN)
    patch.forget(a)
    assert not b.hears
    assert not b.heard_by
    assert patch.unhear(b, a) == []


def test_a_leg_nobody_has_heard_yet_is_not_drained_by_itself() -> None:
    a = leg("a")
    assert patch.deserted(a)
    assert patch.arrive(a, Line("a"), DRAIN) == []


def test_a_deserted_leg_is_drained_until_somebody_hears_it_again() -> None:
    a, b = leg("a"), leg("b")
    patch.hear(b, a, DRAIN)
    assert patch.drain_off(a, DRAIN) == []
    patch.unhear(b, a)
    assert lines(patch.drain_off(a, DRAIN)) == [(True, "a", "drain")]
    assert patch.drain_off(a, DRAIN) == []
    assert lines(patch.arrive(a, Line("a2"), DRAIN)) == [(True, "a2", "drain")]
    assert lines(patch.hear(b, a, DRAIN)) == [(True, "a2", "b"), (False, "a2", "drain")]


def test_a_drained_leg_is_heard_again_when_its_listener_comes_back() -> None:
    a, b = leg("a"), leg("b")
    patch.hear(b, a, DRAIN)
    patch.leave(b)
    assert lines(patch.drain_off(a, DRAIN)) == [(True, "a", "drain")]
    assert lines(patch.arrive(b, Line("b2"), DRAIN)) == [(True, "a", "b2"), (False, "a", "drain")]


class AnyOrder(RuleBasedStateMachine):
    """Whatever happens in whatever order: what stands is what is wished for between those that are here."""

    def __init__(self) -> None:
        super().__init__()
        self.points = [leg(name, here=False) for name in "abc"] + [
            Point("music", Line("music")),
            Point("rec", Line("rec")),
        ]
        self.wishes: dict[tuple[int, int], int] = {}
        self.standing: set[tuple[Line, Line]] = set()

    def do(self, steps: list[Step]) -> None:
        for step in steps:
            if step.join:
                self.standing.add((step.source, step.sink))
            else:
                self.standing.remove((step.source, step.sink))

    @rule(sink=sampled_from([0, 1, 2, 4]), source=sampled_from([0, 1, 2, 3]))
    def hear(self, sink: int, source: int) -> None:
        if sink != source:
            self.wishes[source, sink] = self.wishes.get((source, sink), 0) + 1
            self.do(patch.hear(self.points[sink], self.points[source], DRAIN))

    @rule(sink=sampled_from([0, 1, 2, 4]), source=sampled_from([0, 1, 2, 3]))
    def unhear(self, sink: int, source: int) -> None:
        if self.wishes.get((source, sink)):
            self.wishes[source, sink] -= 1
        self.do(patch.unhear(self.points[sink], self.points[source]))

    @rule(number=integers(0, 2))
    def arrive(self, number: int) -> None:
        self._away(number)
        self.do(patch.arrive(self.points[number], Line(f"line of {number}"), DRAIN))

    @rule(number=integers(0, 2))
    def renew(self, number: int) -> None:
        line = self.points[number].line
        if line is not None:
            self.do(patch.arrive(self.points[number], line, DRAIN))

    @rule(number=integers(0, 2))
    def leave(self, number: int) -> None:
        self._away(number)
        patch.leave(self.points[number])

    @rule(number=integers(0, 2))
    def forget(self, number: int) -> None:
        self._away(number)
        patch.forget(self.points[number])
        self.wishes = {pair: count for pair, count in self.wishes.items() if number not in pair}

    @rule()
    def sweep(self) -> None:
        for point in self.points:
            self.do(patch.drain_off(point, DRAIN))
        assert not any(patch.deserted(point) for point in self.points)

    def _away(self, number: int) -> None:
        """What the conference does by itself when a port leaves."""
        line = self.points[number].line
        self.standing = {pair for pair in self.standing if line not in pair}

    @invariant()
    def what_stands_is_what_is_wished(self) -> None:
        wished = {
            (self.points[source].line, self.points[sink].line)
            for (source, sink), count in self.wishes.items()
            if count and self.points[source].line and self.points[sink].line
        }
        assert {pair for pair in self.standing if pair[1] is not DRAIN} == wished

    @invariant()
    def only_the_unheard_are_drained(self) -> None:
        heard = {source for source, sink in self.standing if sink is not DRAIN}
        assert not heard & {source for source, sink in self.standing if sink is DRAIN}


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_line_that_goes_on_elsewhere_is_cut_from_everybody() -> None:
    a, b, music = leg("a"), leg("b"), Point("music", Line("music"))
    for sink, source in ((a, b), (b, a), (a, music)):
        patch.hear(sink, source, DRAIN)
    assert sorted(lines(patch.depart(a, DRAIN))) == [(False, "a", "b"), (False, "b", "a"), (False, "music", "a")]
    assert a.line is None
    assert patch.depart(a, DRAIN) == []
    assert sorted(lines(patch.arrive(a, Line("a2"), DRAIN))) == [
        (True, "a2", "b"),
        (True, "b", "a2"),
        (True, "music", "a2"),
    ]


def test_a_drained_line_that_goes_on_elsewhere_is_drained_no_more() -> None:
    a = leg("a")
    assert lines(patch.drain_off(a, DRAIN)) == [(True, "a", "drain")]
    assert lines(patch.depart(a, DRAIN)) == [(False, "a", "drain")]
    assert not a.drained
