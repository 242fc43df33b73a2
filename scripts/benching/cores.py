"""One core for the server, another for the generator: what is measured does not compete with what measures."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cores:
    """Numbers of the cores that a measurement uses."""

    server: int
    generator: int

    @property
    def shared(self) -> bool:
        """True on a machine with one core: figures are then only good for comparing."""
        return self.server == self.generator

    def pin_generator(self) -> None:
        """Bind this process, and so all children that do not say otherwise, to the generator's core."""
        os.sched_setaffinity(0, {self.generator})

    def on_server(self, command: list[str]) -> list[str]:
        """The command that runs another on the server's core, all its threads and children included."""
        return ["taskset", "-c", str(self.server), *command]


def choose(server: int | None = None) -> Cores:
    """The first two cores we may use; `server` names the server's core instead."""
    allowed = sorted(os.sched_getaffinity(0))
    first = allowed[0] if server is None else server
    others = [core for core in allowed if core != first]
    return Cores(first, others[0] if others else first)
