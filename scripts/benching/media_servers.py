"""The systems whose sound is compared, each as a fresh server whose calls end at one agent."""

import contextlib
import resource
from collections.abc import Iterator, Mapping
from typing import Literal, get_args

from tests.peers.wire import Address

from .asterisk import Asterisk
from .media_load import MediaServer
from .quiet import wait_for_quiet
from .rtpengine import Rtpengine
from .stage import Stage
from .tandem import RTP_PORTS, UNLIMITED, Tandem

MediaKind = Literal["tandem", "rtpengine", "asterisk"]
KINDS: tuple[MediaKind, ...] = get_args(MediaKind)
MEDIA_NAMES: dict[MediaKind, str] = {"tandem": Tandem.name, "rtpengine": Rtpengine.name, "asterisk": Asterisk.name}
MOST_CALLS = 2600
"""Calls beyond which nobody searches and that Tandem is configured for, as an operator would who expects so many: the
kernel itself sends and receives the packets of some 2,500 on one core."""


class TandemWithSound(Tandem):
    """Tandem with room for as many calls as there are ports."""

    @property
    def parts(self) -> Mapping[str, int]:
        """Media and signalling are one process."""
        return {"all": self.pid}


@contextlib.contextmanager
def opened(
    stage: Stage, kind: MediaKind, agent: Address, *, most: int = MOST_CALLS, more: str = ""
) -> Iterator[MediaServer]:
    """A server process with room for so many calls; `more`: further settings of Tandem, as TOML."""
    raise_descriptors()
    wait_for_quiet(stage.cores, stage.patience)
    folder, prefix = stage.fresh(kind), stage.cores.on_server([])
    if kind == "tandem":
        with TandemWithSound(folder, prefix=prefix, max_calls=most, more=UNLIMITED + more) as tandem:
            tandem.start()
            tandem.serve_one_tenant(f"sip:agent@{agent[0]}:{agent[1]}")
            yield tandem
        return
    make = Rtpengine if kind == "rtpengine" else Asterisk
    with make(folder, agent, prefix=prefix, rtp_ports=RTP_PORTS) as peer:
        peer.start()
        yield peer


def raise_descriptors() -> None:
    """Four sockets a call: servers inherit the highest limit that we may give them."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
