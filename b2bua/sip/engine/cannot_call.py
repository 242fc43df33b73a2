"""Why an INVITE could not even be sent: for want of something of ours, or because that address is of no use."""

from __future__ import annotations

import errno

PJSIP_STATUSES = range(171000, 172000)
"What PJSIP says of URIs, messages and transports (sip_errno.h); other errors are of sockets, memory and media."
FROM_OS = 120000
"PJ_ERRNO_START_SYS: behind it are the system's errno."
NO_WAY = frozenset(
    FROM_OS + number
    for number in (
        *(errno.EACCES, errno.EPERM, errno.EINVAL, errno.EAFNOSUPPORT),
        *(errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH),
        *(errno.ECONNREFUSED, errno.ETIMEDOUT),
    )
)
"No route, a firewall's no, nobody at the port: the fault of the address, not of our sockets."


class CannotCall(Exception):
    """The leg could not even be started."""

    def __init__(self, why: str, *, ours: bool, unreachable: bool = False) -> None:
        super().__init__(why)
        self.ours = ours
        "No port or slot was left; else the URI or the transport is of no use."
        self.unreachable = unreachable
        "The system does not send to that address: it is as good as silent."

    @classmethod
    def by_status(cls, status: int, target: str, why: str) -> CannotCall:
        """Of an INVITE that PJSIP gave back with this status."""
        cut = status in NO_WAY
        return cls(f"no INVITE to {target}: {why}", ours=not cut and status not in PJSIP_STATUSES, unreachable=cut)
