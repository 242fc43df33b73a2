"""A configuration read again: what differs, what may change at once, and who is told of it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from b2bua.reloading import Reloading
from b2bua.settings import Settings, SettingsError, load
from b2bua.settings.change import differences, merged

BASE = """
[listeners.outside]
side = "outside"
address = "127.0.0.1"
port = 5060

[listeners.inside]
side = "inside"
address = "127.0.0.1"
port = 5070

[trunks.north]
listener = "outside"
addresses = ["192.0.2.1"]
"""


@pytest.fixture
def made(tmp_path: Path) -> Callable[[str], Settings]:
    """Settings of a file with these lines behind the usual ones."""

    def make(more: str = "", base: str = BASE) -> Settings:
        file = tmp_path / "tandem.toml"
        file.write_text(base + more)
        return load(file, {})

    return make


def test_every_difference_is_a_key(made: Callable[..., Settings]) -> None:
    old = made()
    new = made(
        "[calls]\nring_timeout = 10\nmax_duration = 60\n"
        '[trunks.south]\nlistener = "outside"\naddresses = ["192.0.2.2"]\n',
        BASE.replace("192.0.2.1", "192.0.2.9").replace("5070", "5071"),
    )
    assert differences(old, new) == [
        "calls.ring_timeout", "calls.max_duration", "listeners.inside.port", "trunks.north.addresses", "trunks.south",
    ]  # fmt: skip
    assert differences(new, new) == []
    assert "trunks.south" in differences(new, old)


def test_what_may_change_does_and_the_rest_stays(made: Callable[..., Settings]) -> None:
    old = made()
    new = made('[node]\nname = "other"\nshutdown_grace = 5\n', BASE.replace("[trunks.north]", "[trunks.south]"))
    may = {"node.shutdown_grace", "trunks.north", "trunks.south"}
    found, applied, waiting = merged(old, new, may.__contains__)
    assert (applied, waiting) == (["node.shutdown_grace", "trunks.north", "trunks.south"], ["node.name"])
    assert (found.node.name, found.node.shutdown_grace) == (old.node.name, 5)
    assert list(found.trunks) == ["south"]
    assert list(old.trunks) == ["north"], "the old one is as it was"


class Told:
    """What a reload tells, and who follows it."""

    def __init__(self, settings: Settings, read: Callable[[], Settings]) -> None:
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.seen: list[str] = []
        self.reloading = Reloading(settings, read, lambda type_, data: self.events.append((type_, data)))

    def follow(self, name: str, *keys: str, fails: bool = False) -> None:
        def apply(settings: Settings) -> None:
            self.seen.append(name)
            if fails:
                raise RuntimeError("our own mistake")

        self.reloading.follow(name, keys, apply)


async def test_followers_are_told_in_their_order_of_what_they_follow(made: Callable[..., Settings]) -> None:
    old, new = made(), made('[calls]\nring_timeout = 10\n[node]\nname = "other"\n')
    told = Told(old, lambda: new)
    told.follow("first", "calls.*", fails=True)
    told.follow("trunks", "trunks.*")
    told.follow("last", "calls.ring_timeout")
    found = await told.reloading.reload("SIGHUP")
    assert (found.applied, found.waiting) == (("calls.ring_timeout",), ("node.name",))
    assert told.seen == ["first", "last"], "one that fails does not keep the others from it"
    assert told.reloading.settings.calls.ring_timeout == 10
    assert [type_ for type_, _ in told.events] == ["server.reloaded"]
    assert (await told.reloading.reload("SIGHUP")).applied == (), "a second time there is nothing new"


async def test_with_mistakes_nobody_is_told_and_nothing_changes(made: Callable[..., Settings]) -> None:
    old = made()

    def read() -> Settings:
        return made('[calls]\nring_timeout = -1\n[log]\nlevel = "loud"\n')

    told = Told(old, read)
    told.follow("all", "*")
    with pytest.raises(SettingsError) as refused:
        await told.reloading.reload("key")
    assert len(refused.value.mistakes) == 2
    assert told.seen == []
    assert told.reloading.settings is old
    [(type_, data)] = told.events
    assert type_ == "server.reload-refused"
    assert len(data["mistakes"]) == 2


async def test_what_is_a_mistake_without_the_restart_is_refused_whole(made: Callable[..., Settings]) -> None:
    old = made()
    new = made(
        '[listeners.third]\nside = "outside"\naddress = "127.0.0.1"\nport = 5080\n'
        '[trunks.south]\nlistener = "third"\naddresses = ["192.0.2.2"]\n'
    )
    told = Told(old, lambda: new)
    told.follow("trunks", "trunks.*")
    with pytest.raises(SettingsError, match="until a restart listeners"):
        await told.reloading.reload("key")
    assert told.reloading.settings is old
