"""What a trunk's INVITE says, as values: all that correlation reads, and nothing of the wire."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Body:
    """One leaf part of a message's (multipart) body."""

    content_type: str
    "Lower case, without parameters: `application/sdp`."
    content: bytes
    parameters: str = ""
    "The parameters of the content type as written (`version=itu-t92+;base=itu-t92`)."


@dataclass(frozen=True, slots=True)
class Arrival:
    """An inbound call at the moment it comes in."""

    trunk: str
    "Our name of the trunk."
    called: str
    "User of the Request-URI, percent-decoded."
    caller: str
    "User of From, percent-decoded."
    caller_name: str = ""
    asserted: str | None = None
    "User of P-Asserted-Identity; worth something on trusted trunks only."
    headers: tuple[tuple[str, str], ...] = ()
    "(long lower-case name, unfolded value), in order."
    bodies: tuple[Body, ...] = ()

    def values(self, name: str) -> list[str]:
        """The values of all headers called `name` (long, lower case), in order."""
        return [value for header, value in self.headers if header == name]
