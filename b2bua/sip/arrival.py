"""From an INVITE to what correlation reads of it."""

from b2bua.sip.message import Message
from routing.address import Address, BadAddress, Uri, anonymous, printable, split_list
from routing.arrival import Arrival


def arrival_of(message: Message, trunk: str) -> Arrival:
    """The INVITE of a trunk as values.  Never raises: what cannot be read is empty, or stands there as written.

    Users and names are fit for records and screens (`printable`); headers are as received.
    """
    caller = message.address("from")
    return Arrival(
        trunk,
        user_of(message.uri) or printable(message.uri),
        user_of(caller.uri) if caller is not None else "",
        printable(caller.display) if caller is not None else "",
        _asserted(message),
        message.headers,
        message.parts(),
    )


def user_of(uri: str) -> str:
    """The user of a URI, fit for records and screens; empty where there is none.  Never raises."""
    try:
        return printable(Uri.parse(uri).user)
    except BadAddress:
        return ""


def _asserted(message: Message) -> str | None:
    """The user the network vouches for (RFC 3325): the first that is a number, else the first."""
    users = []
    for value in message.all("p-asserted-identity"):
        for element in split_list(value):
            try:
                user = user_of(Address.parse(element).uri)
            except BadAddress:
                continue
            if user[:1] == "+" or user[:1].isdecimal():
                return user
            if user and not anonymous(user):
                users.append(user)
    return users[0] if users else None
