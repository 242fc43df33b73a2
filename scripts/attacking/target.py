"""The server that is attacked: its trunk is one loopback address, everybody else on loopback is a stranger."""

from collections.abc import Sequence
from pathlib import Path

from benching.tandem import Tandem

TRUNK = "127.0.0.1"
STRANGER = "127.0.0.66"


class Target(Tandem):
    """A Tandem as `scripts/bench` uses it, but for who its trunk is."""

    name = "Tandem under attack"

    def __init__(self, folder: Path, *, prefix: Sequence[str] = (), max_calls: int = 1000, more: str = "") -> None:
        """`more`: further sections of the configuration."""
        super().__init__(folder, prefix=prefix, max_calls=max_calls, more="")
        text = self.file.read_text(encoding="utf-8").replace('["127.0.0.0/8"]', f'["{TRUNK}/32"]')
        self.file.write_text(text + more, encoding="utf-8")
