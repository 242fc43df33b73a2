"""What scheduling needs of the rest of the dialler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from b2bua.dialling.permission import Lists
    from b2bua.dialling.task import Task
    from dialer.campaign import Campaign
    from dialer.contact import Contact
    from dialer.law_clock import Reading
    from routing.floor import Floor


class Starter(Protocol):
    """What makes calls of contacts (`launching.Launcher`)."""

    lists: dict[str, Lists]
    starting: int
    "Calls on their way to their INVITE."

    def reading(self) -> Reading:
        """The time the law goes by."""

    def start(self, task: Task, contacts: Sequence[Contact]) -> None:
        """Call them, soon."""

    async def close(self) -> None:
        """Wait for what is being started."""


class HasFloor(Protocol):
    """Where the agents are."""

    floor: Floor


class Rules(Protocol):
    """What scheduling asks the rest of the dialler."""

    def problems(self, campaign: Campaign, contacts: int) -> Iterator[str]:
        """What keeps a campaign from beginning (R3-11, R3-12)."""

    def no_tenant(self, campaign: Campaign) -> bool:
        """Whether its tenant is gone, or was disabled."""

    def no_trunk(self, campaign: Campaign) -> bool:
        """Whether none of its trunks takes a call now."""

    def trunk_room(self, campaign: Campaign) -> int | None:
        """Calls that its trunks would take at this moment; None: no limit."""

    def records_full(self) -> bool:
        """Whether so many records wait that nothing more should be dialled."""

    def tell(self, campaign: Campaign, type_: str, data: Mapping[str, object]) -> None:
        """An event of a campaign."""

    def decided(self, task: Task, seconds: float) -> None:
        """A decision was made, in so many seconds."""

    def finished(self, task: Task, how: str) -> None:
        """Nothing of a campaign is left here; `how`: `end` or `stop`."""
