"""The stage of one measurement: a folder, the generator, and fresh servers that it drives."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol

from tests.peers.wire import Address

from .accounting import Meter
from .cores import Cores
from .load import Generator
from .quiet import wait_for_quiet
from .sippy import Sippy
from .tandem import Tandem

Kind = Literal["tandem", "sippy"]
MAX_CALLS = 1000
"The server's default; room for more costs each call memory."
NAMES: dict[Kind, str] = {"tandem": Tandem.name, "sippy": Sippy.name}


class Server(Protocol):
    """A system under test, running."""

    name: str

    @property
    def address(self) -> Address: ...

    @property
    def pid(self) -> int: ...

    def numbers(self, count: int) -> list[str]: ...

    def log_tail(self, lines: int = 40) -> str: ...

    def close(self) -> None: ...


class Stage:
    """Where measurements take place; `patience` is how long each waits for a quiet machine, seconds."""

    def __init__(self, folder: Path, cores: Cores, patience: float = 0.0) -> None:
        self.folder, self.cores, self.patience = folder, cores, patience
        self.generator = Generator(folder / "generator")
        self._numbers = itertools.count(1)

    @contextlib.contextmanager
    def server(
        self, kind: Kind, agent: Address | None = None, agent_uri: str = "", *, max_calls: int = MAX_CALLS
    ) -> Iterator[Server]:
        """A fresh server process whose calls end at an agent: SIPp's, unless another is given."""
        wait_for_quiet(self.cores, self.patience)
        folder, prefix = self.fresh(kind), self.cores.on_server([])
        server: Tandem | Sippy
        if kind == "sippy":
            server = Sippy(folder, agent or self.generator.agent.address, prefix=prefix)
        else:
            server = Tandem(folder, prefix=prefix, max_calls=max_calls)
        try:
            server.start()
            if isinstance(server, Tandem):
                server.serve_one_tenant(agent_uri or self.generator.agent.uri)
            yield server
        finally:
            server.close()

    def fresh(self, name: str) -> Path:
        """A new folder of this stage."""
        folder = self.folder / f"{name}-{next(self._numbers)}"
        folder.mkdir(parents=True)
        return folder

    def meter(self, server: Server) -> Meter:
        """Reads what this server uses from now on."""
        return Meter(server.pid, self.cores)
