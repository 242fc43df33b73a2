"""Header values a call's life depends on: Reason (RFC 3326), Replaces (RFC 3891), Retry-After (RFC 3261 20.33)."""

from collections.abc import Iterable
from dataclasses import dataclass

from routing.address import parameters, split_list


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a request or response was sent."""

    protocol: str
    "`SIP` or `Q.850`, in upper case."
    cause: int | None
    text: str = ""

    @classmethod
    def parse_many(cls, values: Iterable[str]) -> "list[Reason]":
        """All reasons of a message's headers, in order; what is no reason is left out.  Never raises."""
        found = []
        for value in values:
            for element in split_list(value):
                protocol, _, tail = element.partition(";")
                protocol = protocol.strip().upper()
                if protocol and " " not in protocol:
                    said = parameters(tail)
                    found.append(cls(protocol, whole_number(said.get("cause", ""), 999), said.get("text", "")))
        return found

    def __str__(self) -> str:
        text = "".join(f"\\{char}" if char in '"\\' else char for char in self.text if char.isprintable())
        cause = f";cause={self.cause}" if self.cause is not None else ""
        return self.protocol + cause + (f';text="{text}"' if text else "")


@dataclass(frozen=True, slots=True)
class Replaces:
    """The dialog that an INVITE, or the URI of a Refer-To, asks to replace."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    @classmethod
    def parse(cls, text: str) -> "Replaces | None":
        """None for what names no dialog.  Never raises."""
        call_id, _, tail = text.partition(";")
        said = parameters(tail)
        call_id, to_tag, from_tag = call_id.strip(), said.get("to-tag", ""), said.get("from-tag", "")
        if not call_id or not to_tag or not from_tag:
            return None
        return cls(call_id, to_tag, from_tag, "early-only" in said)


def retry_after(text: str) -> int | None:
    """Seconds, without comment and parameters; None for what begins with no number."""
    return whole_number(text.partition(";")[0].partition("(")[0].strip(), 2**31)


def whole_number(text: str, most: int) -> int | None:
    """Decimal digits as a number up to `most`; None for anything else."""
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        return None
    number = int(text)
    return number if number <= most else None
