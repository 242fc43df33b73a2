"""The configuration of a server under test: the usual one, a test's changes over it, and the TOML file of both."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.peers.ports import PORTS

RTP_PORTS = 400

Config = Mapping[str, Mapping[str, Any]]
"Section -> key -> value; a section may be dotted (`listeners.outside`)."

Changes = Mapping[str, Mapping[str, Any] | None]
"The same; None leaves a section (or a key) out."


def usual(data: Path) -> dict[str, dict[str, Any]]:
    """The configuration most tests want: loopback and free ports; its RTP ports are kept until they are released."""
    rtp = PORTS.keep(RTP_PORTS, even=True)
    return {
        "node": {"name": "test", "data_dir": str(data), "max_calls": RTP_PORTS // 4, "shutdown_grace": 0},
        "listeners.outside": {"side": "outside", "address": "127.0.0.1", "port": PORTS.take()},
        "listeners.inside": {"side": "inside", "address": "127.0.0.1", "port": PORTS.take()},
        "trunks.carrier": {
            "listener": "outside",
            "addresses": ["127.0.0.0/8"],
            "access_id_width": 4,
            "sequence_width": 8,
        },
        "api": {"address": "127.0.0.1", "port": PORTS.take()},
        "events": {"address": "127.0.0.1", "port": PORTS.take()},
        "media": {"rtp_port_min": rtp, "rtp_port_max": rtp + RTP_PORTS - 1},
        "security": {"stranger_rate": 0},  # all peers of a test share an address, and fuzz is no flood
        "log": {"format": "json", "level": "info"},
    }


def merged(base: Config, change: Changes) -> dict[str, dict[str, Any]]:
    """`change` over `base`, key by key; a key or section of None is left out."""
    result = {section: dict(keys) for section, keys in base.items()}
    for section, keys in change.items():
        if keys is None:
            result.pop(section, None)
            continue
        result.setdefault(section, {}).update(keys)
        result[section] = {key: value for key, value in result[section].items() if value is not None}
    return result


def toml(config: Config) -> str:
    """The configuration as a TOML file."""
    lines = []
    for section, keys in config.items():
        lines.append(f"[{section}]")
        # JSON's texts, numbers, booleans and lists are TOML's too
        lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        lines.append("")
    return "\n".join(lines)
