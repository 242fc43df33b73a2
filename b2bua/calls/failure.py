"""Which status a caller gets when the called side failed, and the Reason that goes with it (RFC 3326, RFC 3398
section 8.2)."""

from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

TOWARDS_TRUNK = MappingProxyType(
    {
        401: 500,  # our credentials are no business of the trunk
        407: 500,
        405: 500,  # this and others without a comment speak of one hop, and of headers that stay there (RFC 3261 21.4)
        408: 480,  # the phone, not we, was silent
        413: 500,
        416: 500,
        420: 500,
        421: 500,
        422: 500,
        423: 500,
        481: 480,
        482: 500,
        483: 500,
        487: 480,  # nobody has cancelled: billing must not think so
        491: 480,
        493: 500,
        494: 500,
        503: 500,  # 503 would take our whole server out of the trunk's route
    }
)
PHRASES = MappingProxyType(
    {
        400: "Bad Request",
        403: "Forbidden",
        404: "Not Found",
        408: "Request Timeout",
        410: "Gone",
        415: "Unsupported Media Type",
        420: "Bad Extension",
        421: "Extension Required",
        480: "Temporarily Unavailable",
        481: "Call/Transaction Does Not Exist",
        482: "Loop Detected",
        483: "Too Many Hops",
        484: "Address Incomplete",
        486: "Busy Here",
        487: "Request Terminated",
        488: "Not Acceptable Here",
        500: "Server Internal Error",
        501: "Not Implemented",
        502: "Bad Gateway",
        503: "Service Unavailable",
        504: "Server Time-out",
        600: "Busy Everywhere",
        603: "Decline",
        604: "Does Not Exist Anywhere",
        606: "Not Acceptable",
    }
)
Q850 = MappingProxyType(
    {
        403: 21, 404: 1, 408: 102, 410: 22, 480: 18, 484: 28, 486: 17, 487: 16, 488: 88,
        500: 41, 502: 38, 503: 41, 504: 102, 600: 17, 603: 21, 604: 1,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """What the caller's side is told."""

    code: int
    reason: str
    "Value of a Reason header."


def towards_trunk(code: int, reason: str = "") -> Failure:
    """The status for the trunk when the called leg ended with `code`.

    Never 3xx, 401, 407 or 503, whatever the phone said; a phone's own Q.850 cause (in `reason`) is kept, its words
    are not.
    """
    sent = 480 if 300 <= code < 400 else TOWARDS_TRUNK.get(code, code if 400 <= code < 700 else 480)
    return Failure(sent, reason_header(code, _q850(reason)))


def reason_header(code: int, q850: int = 0) -> str:
    """The value of a Reason header for a status, with the Q.850 cause given or the one that RFC 3398 pairs with it."""
    return f'SIP;cause={code};text="{phrase(code)}", Q.850;cause={q850 or Q850.get(code, 31)}'


def phrase(code: int) -> str:
    """The phrase RFC 3261 gives a status; a far end's own words never go further."""
    if code in PHRASES:
        return PHRASES[code]
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return "Failure"


def _q850(reason: str) -> int:
    """The cause in `Q.850;cause=17;...`, 0 where there is none that is sound."""
    for value in reason[:512].split(","):
        protocol, _, parameters = value.strip().partition(";")
        if protocol.strip().lower() != "q.850":
            continue
        for parameter in parameters.split(";"):
            name, _, digits = parameter.partition("=")
            if name.strip().lower() == "cause" and digits.strip().isdecimal() and 0 < int(digits[:4]) < 128:
                return int(digits[:4])
    return 0
