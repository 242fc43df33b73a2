"""What a supervisor's listening is made of: nobody else's connections are touched, and nothing is left of it."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media import Bridge, Desk, Reason, Sound, Way, Who, bridge
from media.hearing import Hearing
from media.path import Codec
from routing.monitoring import Hears, Mode, hearings
from tests.peers.waiting import eventually
from tests.unit.media.back import Notes

PCMA = Codec("PCMA", 8000, 20)
CALLER, AGENT, CHIEF = 0, 1, 2


def three(desk: Desk, back: Notes) -> tuple[list[Sound], Bridge]:
    """Caller and agent talk over the relay; a supervisor whom nobody hears."""
    sounds = [Sound(name, desk) for name in ("caller", "agent")]
    sounds.append(Sound("chief", desk, who=Who.SUPERVISOR))
    for sound in sounds:
        sound.attach(back.leg(sound.name, codec=PCMA))
    caller, agent, _ = sounds
    return sounds, bridge(caller, agent)


async def test_the_pair_is_mixed_while_somebody_listens_and_no_longer(desk: Desk, back: Notes) -> None:
    """Listening sends the two to the conference, with its own reason; the end of it back to the relay."""
    sounds, joined = three(desk, back)
    assert joined.decision.way is Way.RELAY
    heard = [Hearing(sounds[CHIEF], sounds[one]) for one in (CALLER, AGENT)]
    assert joined.decision.reason is Reason.SUPERVISED
    assert back.joined == {("caller", "agent"), ("agent", "caller"), ("caller", "chief"), ("agent", "chief")}
    line = sounds[CHIEF].point.line
    assert line is not None
    back.gone(line)  # his leg ends first, and takes its connections along
    sounds[CHIEF].close()
    for one in heard:
        one.close()
        one.close()
    await eventually(lambda: joined.decision.way is Way.RELAY, "over the relay again")
    assert back.joined == set()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(modes=st.lists(st.sampled_from(Mode), min_size=1, max_size=12))
async def test_whatever_the_way_what_the_pair_hears_of_each_other_stays(tmp_path: Path, modes: list[Mode]) -> None:
    """From mode to mode: each connection is there exactly while the mode wants it, the caller's only in barge."""
    back = Notes()
    desk = Desk(back, tmp_path)
    sounds, joined = three(desk, back)
    names = [sound.name for sound in sounds]
    open_: dict[Hears, Hearing] = {}
    for mode in modes:
        wanted = hearings(mode, CHIEF, AGENT, {CALLER})
        for gone in open_.keys() - wanted:
            open_.pop(gone).close()
        for ear, voice in wanted - open_.keys():
            open_[ear, voice] = Hearing(sounds[ear], sounds[voice])
        expected = {(names[voice], names[ear]) for ear, voice in wanted}
        assert back.joined - {("chief", "silence")} == expected | {("caller", "agent"), ("agent", "caller")}
        assert (("chief", "caller") in back.joined) == (mode is Mode.BARGE)
    for one in open_.values():
        one.close()
    joined.close()
    assert not any(sound.point.hears or sound.point.heard_by for sound in sounds)
    desk.close()
