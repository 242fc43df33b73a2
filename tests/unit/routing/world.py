"""A small business to route calls in: two tenants that share a billing number, one trunk, one access number."""

from dataclasses import replace

from routing.arrival import Arrival, Body
from routing.correlation import TrunkProfile
from routing.digits import Dialling, DigitPlan
from routing.directory import (
    AccessNumber,
    Agent,
    Connection,
    Correlation,
    Directory,
    EntryPoint,
    Route,
    Tenant,
)

BILLING = "+8659512345678"
ACCESS = "4008100001"

PROFILE = TrunkProfile("carrier", plan=DigitPlan(access_id_width=4, sequence_width=8), dialling=Dialling("86", "0"))
OTHER_TRUNK = replace(PROFILE, name="other")

ACME = Tenant(
    "acme",
    "ACME",
    "5100",
    frozenset({"carrier"}),
    frozenset({BILLING}),
    connection=Connection("json", "https://crm.acme.example/tandem", "both"),
    default_extension="801",
)
BOLT = Tenant(
    "bolt",
    "Bolt",
    "5200",
    frozenset({"carrier", "other"}),
    frozenset({"059512345678", "13900000000"}),
    connection=Connection("xmlrpc", "https://bolt.example/rpc"),
)
REQUIRED = AccessNumber(ACCESS, ACCESS, Correlation.REQUIRED, default_route="night-desk")
OPTIONAL = AccessNumber("4008100100", "4008100199", Correlation.OPTIONAL, "acme", EntryPoint("agent", "803"))
OFF = AccessNumber("4008100002", "4008100002", Correlation.OFF, "bolt", EntryPoint("agent", "803"))
AGENTS = tuple(
    Agent(extension, f"Desk {extension}", f"sip:{extension}@10.0.0.5:5060", "inside")
    for extension in ("801", "802", "803", "804", "805")
)
ROUTES = (Route("night-desk", "804"), Route("reception", "805"))


def directory(*, tenants: tuple[Tenant, ...] = (ACME, BOLT), rows: tuple[AccessNumber, ...] = ()) -> Directory:
    return Directory(tenants, rows or (REQUIRED, OPTIONAL, OFF), AGENTS, ROUTES)


def arrival(
    *diversions: str,
    called: str = ACCESS,
    caller: str = BILLING,
    asserted: str | None = None,
    history: tuple[str, ...] = (),
    isup: bytes | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Arrival:
    """A call; a bare number stands for a Diversion of that number."""
    values = [text if ":" in text else f"<sip:{text}@198.51.100.7>;reason=unconditional" for text in diversions]
    return Arrival(
        "carrier",
        called,
        caller,
        "",
        asserted,
        (
            *(("diversion", value) for value in values),
            *(("history-info", value) for value in history),
            *headers,
        ),
        (Body("application/sdp", b"v=0\r\n"), *([Body("application/isup", isup)] if isup is not None else [])),
    )
