"""Which trunk a packet comes from, and which ways a call may take."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from b2bua.settings.model import Settings
from b2bua.settings.sip import Listener, Trunk
from b2bua.settings.trunks import TrunkGroup
from b2bua.sip.trunk_desk import TrunkDesk
from b2bua.sip.trunk_line import Way
from b2bua.sip.trunks import TrunkTable, user_and_host
from routing.circuit import Circuit, State
from routing.failover import Attempt
from routing.trunk_groups import Member


def trunk(**more: Any) -> Trunk:
    return Trunk.model_validate({"listener": "out", "addresses": ["192.0.2.1"], **more})


class Bench:
    """A desk with a clock of the test's own."""

    def __init__(self, groups: Mapping[str, list[str]], **trunks: Trunk) -> None:
        self.now = 1000.0
        self.told: list[tuple[str, Mapping[str, Any]]] = []
        self.skipped: list[tuple[str, str]] = []
        settings = Settings(
            listeners={"out": Listener(side="outside", address="192.0.2.254")},
            trunks=trunks,
            trunk_groups={name: TrunkGroup(members=members) for name, members in groups.items()},
        )
        self.desk = TrunkDesk(
            settings,
            lambda type_, data: self.told.append((type_, data)),
            lambda name, why: self.skipped.append((name, why)),
            clock=lambda: self.now,
            wall=lambda: 1_767_225_600.0 + self.now,
            draw=lambda: 0.0,
        )

    def ways(self, *over: str, emergency: bool = False) -> list[str]:
        return [way.trunk for way in self.desk.ways(over, emergency=emergency)]

    def out(self, name: str) -> None:
        line = self.desk.lines[name]
        for far in line.fars.values():
            self.desk.learnt(line, far, Circuit(State.OUT, 3, True))


def two(**first: Any) -> Bench:
    return Bench(
        {"both": ["first 1", "second 2"]},
        first=trunk(target="192.0.2.10", **first),
        second=trunk(target="192.0.2.11:5070", addresses=["192.0.2.2"]),
    )


def test_the_longest_prefix_wins() -> None:
    table = TrunkTable(
        [("out", "192.0.2.0/24", "wide"), ("out", "192.0.2.7/32", "one"), ("other", "192.0.2.7/32", "x")]
    )
    assert table.trunk_of("out", "192.0.2.7") == "one"
    assert table.trunk_of("out", "192.0.2.8") == "wide"
    assert table.trunk_of("out", "198.51.100.1") is None
    assert table.trunk_of("in", "192.0.2.7") is None


def test_marks_tell_trunks_on_one_address_apart() -> None:
    bench = Bench(
        {},
        plain=trunk(),
        port=trunk(source_ports=[5080]),
        host=trunk(request_hosts=["SIP.two.example"]),
        account=trunk(user="line7", registers=True, target="192.0.2.1"),
        tls=trunk(tls_names=["carrier.example"]),
    )
    of = bench.desk.table.trunk_of
    assert of("out", "192.0.2.1", 5060, "sip:123@ours") == "plain"
    assert of("out", "192.0.2.1", 5080, "sip:123@ours") == "port"
    assert of("out", "192.0.2.1", 5060, "sip:123@sip.two.EXAMPLE:5060;x=y") == "host"
    assert of("out", "192.0.2.1", 5060, "sip:line7@ours") == "account"
    assert of("out", "192.0.2.1", 5060, "sip:1@ours", {"carrier.example"}) == "tls"
    assert bench.desk.table.trunks_at("out", "192.0.2.1")[-1] == "plain"
    assert bench.desk.networks("out") == {"192.0.2.1/32": "plain"}


@given(st.text(max_size=80))
def test_any_request_uri_can_be_looked_at(text: str) -> None:
    user_and_host(text)
    user_and_host(f"sip:{text}")


def test_a_group_is_tried_in_order_and_a_trunk_alone() -> None:
    bench = two()
    assert bench.ways("both") == ["first", "second"]
    assert bench.ways("second", "both") == ["second", "first"]
    assert bench.ways("nobody") == []
    assert list(islice(bench.desk.ways(["both"]), 1)) == [Way("first", "192.0.2.10")]


def test_who_is_out_or_busy_or_in_maintenance_is_passed_over() -> None:
    bench = two()
    bench.out("first")
    assert bench.ways("both") == ["second"]
    assert bench.told == [("trunk.out", {"trunk": "first"})]
    bench.desk.heard(Way("first", "192.0.2.10"))
    assert bench.told[-1] == ("trunk.back", {"trunk": "first"})
    assert bench.ways("both") == ["first", "second"]
    bench.desk.failed(Way("first", "192.0.2.10"), Attempt(503), retry_after=3600)
    assert bench.ways("both") == ["second"]
    bench.now += 60.0  # retry_after_most
    assert bench.ways("both") == ["first", "second"]
    bench.desk.maintain("first", True, "test")
    assert bench.ways("both") == ["second"]
    assert [why for _, why in bench.skipped] == ["out", "retry-after", "maintenance"]
    assert bench.desk.takes_calls(["both"])
    assert not bench.desk.takes_calls(["first"])


def test_an_emergency_call_tries_even_those() -> None:
    bench = two(max_calls_out=0)
    bench.out("second")
    assert bench.ways("both") == []
    assert bench.ways("both", emergency=True) == ["first", "second"]
    bench.desk.maintain("first", True, "test")
    assert bench.ways("both", emergency=True) == ["first", "second"]


def test_silence_in_calls_counts_as_loss() -> None:
    bench = two(probe_losses=2)
    line = bench.desk.lines["first"]
    bench.desk.learnt(line, line.fars["192.0.2.10"], Circuit(State.UP, 0, True))
    for _ in range(2):
        bench.desk.failed(Way("first", "192.0.2.10"), Attempt(0))
    assert line.state == "out"
    bench.desk.failed(Way("first", "192.0.2.10"), Attempt(486))  # one that was under way was refused: it lives
    assert line.state == "up"


def test_legs_are_counted_once_and_given_back() -> None:
    bench = two(max_calls_out=1, minutes_per_day=1)
    desk = bench.desk
    desk.opened("first", 1, outgoing=True)
    desk.opened("first", 1, outgoing=True)
    assert bench.ways("first") == []
    desk.answered(1)
    bench.now += 59.0
    desk.closed(1)
    desk.closed(1)
    assert bench.ways("first") == ["first"]
    desk.opened("first", 2, outgoing=True)
    desk.answered(2)
    bench.now += 1.0
    desk.closed(2)
    assert bench.ways("first") == []  # a minute of talk today
    assert desk.keep()["first"].minutes == 1.0
    desk.opened("", 3, outgoing=True)
    desk.closed(3)


def test_other_settings_keep_what_is_known() -> None:
    bench = two()
    bench.out("first")
    bench.desk.maintain("second", True, "test")
    bench.desk.opened("first", 1, outgoing=True)
    settings = Settings(
        listeners={"out": Listener(side="outside", address="192.0.2.254")},
        trunks={
            "first": trunk(target="192.0.2.10", max_calls=7),
            "second": trunk(target="192.0.2.99", addresses=["192.0.2.2"]),
        },
    )
    bench.desk.adopt(settings)
    first, second = bench.desk.lines["first"], bench.desk.lines["second"]
    assert (first.state, first.load.calls_out, first.limits.calls) == ("out", 1, 7)
    assert (second.maintenance, list(second.fars)) == (True, ["192.0.2.99"])
    bench.desk.closed(1)
    assert first.load.calls_out == 0


def test_a_call_in_fail_over_goes_past_what_a_reload_or_the_name_servers_took_away() -> None:
    bench = two()
    third = trunk(target="192.0.2.12", addresses=["192.0.2.3"])
    bench.desk.adopt(settings_of(first=trunk(target="carrier.example"), second=trunk(target="192.0.2.11"), third=third))
    bench.desk.lines["first"].lead_to([Member("192.0.2.21", 1), Member("192.0.2.22", 2), Member("192.0.2.23", 3)])
    ways = bench.desk.ways(["first", "second", "third"])
    assert next(ways) == Way("first", "192.0.2.21")
    bench.desk.lines["first"].lead_to([Member("192.0.2.23", 3)])
    assert next(ways) == Way("first", "192.0.2.23")
    bench.desk.adopt(settings_of(third=third))
    assert list(ways) == [Way("third", "192.0.2.12")]

    bench.desk.adopt(settings_of(first=trunk(target="192.0.2.10"), third=third))
    ways = bench.desk.ways(["third", "first"], emergency=True)
    assert next(ways).trunk == "third"
    bench.desk.adopt(settings_of())
    assert list(ways) == []


def settings_of(**trunks: Trunk) -> Settings:
    return Settings(listeners={"out": Listener(side="outside", address="192.0.2.254")}, trunks=trunks)
