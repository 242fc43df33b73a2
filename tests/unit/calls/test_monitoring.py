"""Supervisors of one call, in any order of orders, answers and ends: who hears whom is always what their modes say."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from b2bua.calls.deliveries import Delivery, Silent
from b2bua.calls.monitoring import MOST, Begin, CannotMonitor, Change, Unanswered, floor_key
from b2bua.calls.parties import Role
from b2bua.calls.record import Record
from b2bua.calls.session import Session
from b2bua.sip.signals import Answered, Closed, Dtmf
from b2bua.sip.signals import Sound as Heard
from media import Desk
from routing.agent_state import AgentState
from routing.monitoring import KEYS, Mode, hearings
from routing.queue import AgentProfile
from tests.unit.media.back import Notes

CALLER, AGENT = 1, 2
CHIEFS = ("1003", "1004", "1005", "1006", "1007")
BOUND = "1004"  # may listen to those of his own queue only, where agent 1002 does not serve
PROFILES = {
    "1001": AgentProfile("1001", queues={"sales": 1}),
    "1002": AgentProfile("1002", queues={"support": 1}),
    **{chief: AgentProfile(chief, monitors="all") for chief in CHIEFS},
    BOUND: AgentProfile(BOUND, queues={"sales": 1}, monitors="queues"),
}


class Far:
    """A leg of which only what is asked of it is seen."""

    keys_are_tones, keys_sent_as, alive = False, "rfc4733", True

    def __init__(self, id: int, owner: str) -> None:
        self.id, self.owner, self.sip_call_id, self.referrals = id, owner, f"call-{id}", 0
        self.sink: Callable[[Any], None] | None = None
        self.dropped = self.answered = False

    def hang_up(self, code: int = 0, headers: object = ()) -> None:
        self.dropped = True

    def answer(self) -> None:
        self.answered = True


class Floor:
    """Seats of supervisors: who is kept for what."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def agent(self, extension: str) -> object:
        return SimpleNamespace(state=AgentState.TALKING if extension in self.kept else AgentState.AVAILABLE)

    def reserve(self, extension: str, call: str, *, past_wrap_up: bool) -> bool:
        return self.kept.setdefault(extension, call) == call

    def answered(self, call: str, extension: str) -> None:
        assert self.kept[extension] == call

    def released(self, extension: str, call: str) -> None:
        assert self.kept.pop(extension) == call


class Centre:
    """One call with a caller and an agent who talk, and what would be around it."""

    def __init__(self, folder: Path) -> None:
        self.back = Notes()
        Desk.current = self.desk = Desk(self.back, folder)
        self.floor, self.told = Floor(), list[tuple[str, dict[str, Any]]]()
        self.exchange = SimpleNamespace(
            floor=self.floor,
            trunks=SimpleNamespace(trunk_of=lambda leg: ""),
            settings=SimpleNamespace(calls=SimpleNamespace(ring_timeout=60.0), monitoring=SimpleNamespace(tone=False)),
            metrics=SimpleNamespace(monitorings=SimpleNamespace(inc=lambda *words: None)),
            tell=lambda word, call, data: self.told.append((word, data)) if word.startswith("call.monitor") else None,
            wall=lambda: 1000.0,
            plan=lambda: SimpleNamespace(agent_profiles=PROFILES),
        )
        now = asyncio.get_running_loop().time()
        self.call = Session(cast("Any", self.exchange), Record("c1", "node", "inbound", 0.0, now))
        self.legs: dict[int, Far] = {}
        self.join(Role.CALLER, "")
        self.join(Role.AGENT, "1001")
        self.call.caller = CALLER
        self.call.pair(CALLER, AGENT)

    def leg(self, owner: str) -> Far:
        far = Far(len(self.legs) + 1, owner)
        self.legs[far.id] = far
        return far

    def join(self, role: Role, extension: str) -> int:
        far = self.leg(extension)
        self.call.add(cast("Any", far), role, extension)
        if extension:
            self.call.agents[far.id] = extension
        self.up(far.id)
        return far.id

    def up(self, leg: int) -> None:
        """Its phone is up and has sound."""
        self.call.deliver(Heard(leg, self.back.leg(f"leg {leg}")))
        self.call.deliver(Answered(leg))
        self.call.catch_up()

    def gone(self, leg: int) -> None:
        """Nothing of it is left; its stream goes first."""
        line = self.call.sounds[leg].point.line
        if line is not None:
            self.back.gone(line)
        self.call.deliver(Closed(leg, 200, by_peer=not self.legs[leg].dropped))
        self.call.catch_up()

    def begin(self, chief: str, mode: Mode) -> asyncio.Future[None]:
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.call.deliver(Begin(chief, "1001", mode, "test", lambda call: cast("Any", self.leg(chief)), False, told))
        self.call.catch_up()
        return told

    def heard(self) -> set[tuple[int, int]]:
        """(who hears, whom), of the legs; what is thrown away left out."""
        return {
            (int(ear.removeprefix("leg ")), int(voice.removeprefix("leg ")))
            for voice, ear in self.back.joined
            if "silence" not in (voice, ear)
        }

    def expected(self) -> set[tuple[int, int]]:
        call = self.call
        talkers = call.parties.talking()
        pairs = {(a, b) for a in talkers for b in talkers if a != b}
        watches = call.monitoring.watches.values() if call.monitoring is not None else ()
        for watch in watches:
            agent = next((leg for leg in talkers if call.agents.get(leg) == watch.agent), None)
            if watch.since and agent is not None and not self.legs[watch.leg].dropped:
                pairs |= hearings(watch.mode, watch.leg, agent, talkers - {agent})
        return pairs


@pytest.fixture
async def centre(tmp_path: Path) -> Centre:
    return Centre(tmp_path)


async def test_a_supervisor_is_kept_and_let_go_again(centre: Centre) -> None:
    """Busy himself, here already, or one too many: refused, and nothing is left of it."""
    assert centre.begin("1003", Mode.LISTEN).exception() is None
    assert centre.floor.kept == {"1003": floor_key(centre.call)}
    for chief, why in (("1003", "already"), ("1099", "busy")):
        centre.floor.kept.setdefault("1099", "elsewhere")
        error = centre.begin(chief, Mode.LISTEN).exception()
        assert isinstance(error, CannotMonitor)
        assert why in str(error)
    for chief in CHIEFS[1:MOST]:
        assert centre.begin(chief, Mode.LISTEN).exception() is None
    assert isinstance(centre.begin(CHIEFS[MOST], Mode.LISTEN).exception(), CannotMonitor)
    centre.call.over()
    assert centre.floor.kept == {"1099": "elsewhere"}


async def test_his_keys_and_his_end_concern_nobody_else(centre: Centre) -> None:
    """No step of the call is told of a supervisor's signals."""
    centre.begin("1003", Mode.LISTEN)
    leg = max(centre.legs)
    centre.up(leg)
    centre.call.deliver(Dtmf(leg, "6", "rfc4733"))
    centre.call.deliver(Dtmf(leg, "9", "rfc4733"))
    assert await centre.call.next(centre.call.clock() + 0.02) is None
    assert [word for word, _ in centre.told] == ["call.monitor.started", "call.monitor.mode"]
    centre.gone(leg)
    assert centre.told[-1] == (
        "call.monitor.ended",
        {"supervisor": "1003", "agent": "1001", "why": "left", "seconds": 0.0},
    )
    assert (centre.call.spared, centre.floor.kept) == (set(), {})


@pytest.mark.parametrize(
    ("signals", "event", "why"),
    [
        ([Unanswered(3)], "failed", "no-answer"),
        ([Answered(3)], "failed", "no-media"),
        ([Heard(3, None), Answered(3), Silent(3)], "ended", "media-silence"),
        ([Heard(3, None), Answered(3), Unanswered(3), Change("1003", None, "x")], "ended", "stopped"),
    ],
)
async def test_a_phone_that_is_of_no_use_is_let_go(
    centre: Centre, signals: list[Delivery], event: str, why: str
) -> None:
    """It rings for too long, has no sound, or falls silent: his leg ends, and nobody else's."""
    centre.begin("1003", Mode.BARGE)
    for signal in signals:
        centre.call.deliver(signal)
    assert await centre.call.next(centre.call.clock() + 0.02) is None
    assert [leg for leg, far in centre.legs.items() if far.dropped] == [3]
    assert centre.heard() == {(CALLER, AGENT), (AGENT, CALLER)}
    centre.gone(3)
    word, data = centre.told[-1]
    assert (word, data["why"]) == (f"call.monitor.{event}", why)
    assert (centre.call.spared, centre.floor.kept) == (set(), {})


async def test_who_may_not_listen_to_the_next_agent_is_let_go(centre: Centre) -> None:
    """The call moves out of his queue: he hears nothing of it, and is told why; who may hear all goes with it."""
    for chief in (BOUND, "1003"):
        centre.begin(chief, Mode.WHISPER)
        centre.up(max(centre.legs))
    other = centre.join(Role.AGENT, "1002")
    centre.gone(AGENT)
    centre.call.pair(CALLER, other)
    assert centre.call.monitoring is not None
    centre.call.monitoring.talking(centre.call)
    let_go, stays = 3, 4
    assert [leg for leg, far in centre.legs.items() if far.dropped] == [let_go]
    assert not any(let_go in pair for pair in centre.heard())
    assert {(stays, CALLER), (stays, other)} <= centre.heard()
    centre.gone(let_go)
    word, data = centre.told[-1]
    assert (word, data["supervisor"], data["why"]) == ("call.monitor.ended", BOUND, "forbidden")


STEPS = st.tuples(
    st.sampled_from(["begin", "answer", "mode", "key", "leave", "end", "transfer"]),
    st.sampled_from(CHIEFS[:MOST]),
    st.sampled_from(Mode),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(steps=st.lists(STEPS, max_size=30))
async def test_who_hears_whom_is_what_the_modes_say(tmp_path: Path, steps: list[tuple[str, str, Mode]]) -> None:
    """After each of any sequence of steps; at the end nothing of any supervisor is left."""
    centre = Centre(tmp_path)
    call = centre.call
    for step, chief, mode in steps:
        watch = call.monitoring.of(chief) if call.monitoring is not None else None
        match step:
            case "begin":
                centre.begin(chief, mode).exception()
            case "answer" if watch is not None and not watch.since:
                centre.up(watch.leg)
            case "mode" | "end":
                call.deliver(Change(chief, mode if step == "mode" else None, "test"))
                call.catch_up()
            case "key" if watch is not None:
                call.deliver(Dtmf(watch.leg, next(key for key, one in KEYS.items() if one is mode), "rfc4733"))
                call.catch_up()
            case "leave" if watch is not None:
                centre.gone(watch.leg)
            case "transfer" if call.parties.alive(AGENT):
                other = centre.join(Role.AGENT, "1002")
                centre.gone(AGENT)
                assert not any(CALLER in pair for pair in centre.heard()), "he talks to nobody: nobody listens"
                call.pair(CALLER, other)
                if call.monitoring is not None:
                    call.monitoring.talking(call)
            case _:
                pass
        assert centre.heard() == centre.expected()
        bound = call.monitoring.of(BOUND) if call.monitoring is not None else None
        assert bound is None or bound.agent == "1001" or centre.legs[bound.leg].dropped, "he hears a stranger's queue"
    if call.monitoring is not None:
        for leg in list(call.monitoring.watches):
            centre.gone(leg)
    assert centre.heard() == centre.expected()
    assert (call.spared, centre.floor.kept) == (set(), {})
    centre.desk.close()
