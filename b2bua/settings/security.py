"""The table of the configuration about sources: who may send us what, and how much of it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from .values import Networks, Section, items, no_repeats

Rate = Annotated[float, Field(ge=0, le=1_000_000)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Seconds = Annotated[float, Field(ge=0, le=86400)]
Texts = Annotated[
    list[Annotated[str, Field(min_length=3, max_length=40)]],
    BeforeValidator(items),
    AfterValidator(no_repeats),
    Field(max_length=64),
]

SCANNERS = [
    "friendly-scanner",
    "friendly-request",
    "sipvicious",
    "sipcli",
    "sipscan",
    "sip-scan",
    "sundayddr",
    "vaxsipuseragent",
    "pplsip",
    "iwar",
    "sivus",
    "smap",
    "sipptk",
    "gulp",
]


class Security(Section):
    """What the gate lets in, by who a source is: trunk, office, registered phone, or a stranger (docs/security.md).

    0 means no limit, except where another meaning is given.
    """

    outside_strangers: Literal["drop", "refuse"] = "drop"
    "Requests of strangers to an outside listener: not answered at all, or 403."
    inside_strangers: Literal["challenge", "refuse", "drop"] = "challenge"
    """Requests of strangers to an inside listener: let through to where agents are told by credentials or address; or
    403; or not answered. A listener on which phones register always challenges."""
    offices: Networks = Field(default=[])
    "Networks of our own offices: they have a budget of their own and are never banned."
    stranger_rate: Rate = 20
    "Requests a second of one address that nobody knows; what is more is dropped."
    stranger_burst: Count = 100
    "How many of them may come at once."
    phone_rate: Rate = 20
    "Requests a second of one registered phone."
    phone_burst: Count = 60
    "How many of them may come at once."
    office_rate: Rate = 500
    "Requests a second of one address of an office."
    office_burst: Count = 1000
    "How many of them may come at once."
    trunk_rate: Rate = 0
    "Requests a second of one address of a trunk, outside of calls; its calls a second are the trunk's `cps_in`."
    trunk_burst: Count = 0
    "How many of them may come at once."
    half_open_per_source: Count = 30
    "Calls of one address that wait for an answer; trunks and offices have no such limit."
    half_open_reserved: Annotated[float, Field(ge=0, le=1)] = 0.5
    "Share of `node.max_calls` that calls without an answer yet may take from trunks alone."
    max_message: Annotated[int, Field(ge=2000, le=16000)] = 16000
    "Longest SIP request, octets; a longer one gets 513. 16,000 is the most that can be read at all."
    connections: Count = 2000
    "TCP and TLS connections that others have made to us; a fifth of them is for trunks and offices alone."
    connections_per_source: Count = 100
    "The same of one address that is neither trunk nor office."
    connection_rate: Rate = 10
    "New connections a second of such an address."
    connection_burst: Count = 50
    "How many of them may come at once."
    connection_first: Seconds = 10
    "Seconds in which a new connection has to carry its first request."
    connection_idle: Seconds = 600
    "Seconds without a word after which a connection is closed behind which no phone has registered."
    faults: Count = 30
    """Faults of one address (wrong passwords, broken messages, floods) until it is banned; ten times as many for an
    address from which phones have registered; 0: nobody is banned but by hand."""
    fault_window: Annotated[float, Field(ge=1, le=86400)] = 60
    "Seconds in which they are counted."
    ban_seconds: Annotated[float, Field(ge=1, le=31_536_000)] = 300
    "Seconds that a ban lasts."
    scanners: Texts = Field(default=SCANNERS)
    "Parts of the User-Agent of programs that look for holes: they get no answer, and a ban. Case does not matter."
