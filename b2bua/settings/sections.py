"""The tables of the configuration that are not SIP: one class each, one field a key.

The string under a field is its line in docs/configuration.md.
"""

from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr

from .values import Address, Codecs, FilePath, Name, Port, Section, whole

Seconds = Annotated[float, Field(gt=0, le=86400)]


class Node(Section):
    """This process among its like."""

    name: Name = "tandem"
    "Name of this node in events, call records and logs. Events are numbered per node: no two nodes may share a name."
    data_dir: FilePath = FilePath("data")
    "Folder of the spool, the heartbeat and (by default) the SQLite file."
    max_calls: Annotated[int, Field(ge=1, le=3800)] = 1000
    "Calls at once (two legs each). Above it new calls get 503. Room costs: 18 bytes a leg for each call of it."
    shutdown_grace: Annotated[float, Field(ge=0, le=86400)] = 30
    "Seconds that running calls may go on after SIGTERM before they are ended."


class Storage(Section):
    """Where tenants, tokens, agents, call records and events are kept."""

    url: SecretStr | None = None
    "Database: `sqlite:///path` or `postgresql://user:password@host/name`. Without it, `tandem.db` in the data folder."
    pool: Annotated[int, Field(ge=1, le=100)] = 5
    "Connections kept to PostgreSQL."
    keep_days: Annotated[int, Field(ge=0, le=36500)] = 0
    "Days that call records and events are kept; 0: for ever."


class Api(Section):
    """The HTTP API, the pages, health and metrics."""

    address: Address = "127.0.0.1"
    "IP address to listen on."
    port: Port = 8080
    "Port to listen on."
    tls_certificate: FilePath | None = None
    "PEM file with the certificate chain; with `tls_key` the API speaks HTTPS only."
    tls_key: FilePath | None = None
    "PEM file with the private key."
    max_body: Annotated[int, Field(ge=1024, le=256 * 1024 * 1024)] = 1024 * 1024
    "Largest request body, bytes."
    rate: Annotated[float, Field(gt=0, le=1e6)] = 500
    "Requests a second that one API token may make; above it 429."


class Events(Section):
    """The socket that hands out numbered event records as JSON lines."""

    address: Address = "127.0.0.1"
    "IP address to listen on."
    port: Port = 5039
    "Port to listen on."
    require_key: bool | None = None
    "Listeners must send an API key in their first line. Without it: only where `address` is not loopback."
    backlog: Annotated[int, Field(ge=100, le=10_000_000)] = 10_000
    "Events kept in memory for listeners that fall behind; older ones come from the database."

    @property
    def needs_key(self) -> bool:
        """Whether a listener must show an API key."""
        return not ip_address(self.address).is_loopback if self.require_key is None else self.require_key


class Media(Section):
    """Sound: ports, codecs, silence."""

    rtp_port_min: Port = 16384
    "First port for RTP and RTCP, even."
    rtp_port_max: Port = 32766
    "Last port. The range must stay out of the system's range for outgoing connections."
    codecs: Codecs = Field(default=["PCMA", "PCMU"])
    "Codecs offered and taken, best first, where listener and trunk say nothing (docs/codecs.md)."
    opus_bitrate: Annotated[int, Field(ge=6000, le=128_000)] = 24_000
    "Bits a second of Opus that we ask for (maxaveragebitrate, RFC 7587)."
    silence_timeout: Annotated[float, Field(ge=0, le=86400)] = 120
    "Seconds without any RTP or RTCP from a peer (hold apart) after which the call is ended; 0 means never."
    relearn_after: Annotated[float, Field(ge=0.5, le=60)] = 3
    "Seconds of silence after which a phone behind address translation may come back with another port."
    dscp: Annotated[int, Field(ge=0, le=63)] = 46
    "Mark (RFC 2474) on the RTP and RTCP that we send; 46 is Expedited Forwarding, 0 is none."
    threads: Annotated[int, Field(ge=1, le=16)] = 1
    "Threads that read and send all sound, from the start of the process on; more than one where one fills its core."
    relay: bool = True
    "Sound of two legs that speak alike goes past the conference, packet by packet (docs/sound.md)."
    clock_rate: Annotated[Literal[8000, 16000], BeforeValidator(whole)] = 8000
    "Samples a second of the conference bridge: 8000 while trunks are G.711; 16000 for G.722 or Opus on both sides."
    music: FilePath | None = None
    "WAV file (16 bit, mono) played to a party on hold; without it, a quiet tone."


class Calls(Section):
    """Time limits of a call, and where it goes when nothing else says so."""

    ring_timeout: Annotated[float, Field(gt=0, le=180)] = 30
    "Seconds an agent's phone rings before the call is ended as not answered."
    max_duration: Annotated[float, Field(ge=1, le=604800)] = 14400
    "Seconds after which an answered call is ended."
    default_route: str | None = None
    "Name of the route (in the database) for calls whose caller's data cannot be found; without it they are refused."
    pull_deadline: Annotated[float, Field(gt=0, le=10)] = 0.8
    "Seconds that fetching the caller's data from a tenant's system may take."
    claim_deadline: Annotated[float, Field(gt=0, le=10)] = 0.25
    "Seconds that claiming a token may take before the call goes the default route."
    answer_on: Literal["agent"] = "agent"
    "When the trunk leg is answered: with the agent's answer."


class Log(Section):
    """What is written to standard error."""

    format: Literal["json", "console"] = "json"
    "`json` for machines, one object a line; `console` for people."
    level: Literal["debug", "info", "warning", "error"] = "info"
    "Least severe lines that are written."
