"""The configuration read again while calls go on: all mistakes at once and nothing changed, or what can change changes.

Whoever can follow a change of some keys at run time says so (`Reloading.follow`); keys that nobody follows need a
restart and are named in the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from b2bua.calls.operation import Reloaded
from b2bua.log import logger
from b2bua.settings import Mistake, Settings, SettingsError
from b2bua.settings.change import merged
from b2bua.settings.checks import check

log = logger("tandem.reload")

Apply = Callable[[Settings], None]
Tell = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Follower:
    """A part of the server that can go by other settings at once."""

    name: str
    keys: tuple[str, ...]
    "Patterns of dotted keys: `calls.*`, `node.shutdown_grace`."
    apply: Apply
    "Called on the loop with the settings in force from now on. It must not wait, and must not fail."

    def takes(self, key: str) -> bool:
        return any(fnmatchcase(key, pattern) for pattern in self.keys)


class Reloading:
    """Owner of the settings in force."""

    def __init__(self, settings: Settings, read: Callable[[], Settings], tell: Tell) -> None:
        """`read`: reads file and environment anew; runs on a thread and raises SettingsError."""
        self.settings = settings
        self._read, self._tell = read, tell
        self._followers: list[Follower] = []
        self._one_at_a_time = asyncio.Lock()
        self.count = 0
        "Reloads that took effect."

    def follow(self, name: str, keys: tuple[str, ...], apply: Apply) -> None:
        """Followers are told in the order in which they came."""
        self._followers.append(Follower(name, keys, apply))

    async def reload(self, by: str) -> Reloaded:
        """Raises SettingsError with all mistakes; then everything is as it was."""
        async with self._one_at_a_time:
            try:
                new = await asyncio.to_thread(self._read)
                made, applied, waiting = merged(self.settings, new, self._may_change)
                if waiting:
                    await asyncio.to_thread(_check_together, made, waiting)
            except SettingsError as error:
                mistakes = [str(mistake) for mistake in error.mistakes]
                self._tell("server.reload-refused", {"by": by, "mistakes": mistakes[:50]})
                log.warning(
                    "the configuration has mistakes; the old one stays", by=by, mistakes=mistakes[:50],
                    do="mend them and reload again",
                )  # fmt: skip
                raise
            self._put_in_force(made, applied)
            self.count += 1
            self._tell("server.reloaded", {"by": by, "applied": applied, "waiting": waiting})
            log.info("the configuration was read again", by=by, applied=applied)
            if waiting:
                log.warning("some changes need a restart", keys=waiting, do="restart when no calls are lost by it")
            return Reloaded(tuple(applied), tuple(waiting))

    def _may_change(self, key: str) -> bool:
        return any(follower.takes(key) for follower in self._followers)

    def _put_in_force(self, settings: Settings, applied: list[str]) -> None:
        self.settings = settings
        for follower in self._followers:
            if not any(follower.takes(key) for key in applied):
                continue
            try:
                follower.apply(settings)
            except Exception as error:
                log.error("a part of the server does not go by the new settings", part=follower.name, exc_info=error)


def _check_together(made: Settings, waiting: list[str]) -> None:
    """What is in force must be without mistakes as well, where only a part of the new configuration is."""
    found = list(check(made, frozenset(made.listeners)))
    if found:
        why = f"until a restart {', '.join(waiting)} cannot change, and without that it is a mistake: "
        raise SettingsError([Mistake(str(made.file or "defaults"), key, why + what) for key, what in found])
