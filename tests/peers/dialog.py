"""Dialog state of a call (RFC 3261 section 12): tags, remote target, route set, and requests built from them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.peers.message import Message, split_list, uri_of


@dataclass(slots=True)
class Dialog:
    """One dialog; a forked call has several, told apart by the callee's tag."""

    local_tag: str
    remote_tag: str
    target: str
    "The remote target: the Contact last seen."
    routes: list[str] = field(default_factory=list)
    established: bool = False


class Dialogs:
    """All dialogs with one Call-ID, by the callee's tag, and which of them is the current one."""

    def __init__(self, call_id: str, local: str, remote: str, local_tag: str) -> None:
        self.call_id, self.local, self.remote, self.local_tag = call_id, local, remote, local_tag
        "`local` and `remote` are From/To values without tag."
        self.all: dict[str, Dialog] = {}
        self.current: Dialog | None = None

    def as_caller(self, response: Message) -> None:
        """Learn from a response to our INVITE (101 to 299, with a tag)."""
        tag = response.to_tag
        dialog = self.all.setdefault(tag, Dialog(self.local_tag, tag, response.contact or uri_of(self.remote)))
        self._learn(dialog, response, response.status, reverse=True)

    def as_callee(self, invite: Message, status: int, local_tag: str) -> None:
        """Learn from our own reply (101 to 299) to an INVITE."""
        dialog = self.all.setdefault(local_tag, Dialog(local_tag, invite.from_tag, invite.contact))
        self._learn(dialog, invite, status, reverse=False)

    def refresh(self, tag: str, contact: str) -> None:
        """A re-INVITE or UPDATE brought a new remote target."""
        if contact and tag in self.all:
            self.all[tag].target = contact

    def request(self, method: str, uri: str, cseq: int, via: str, dialog: Dialog | None) -> Message:
        """The head of a request; without a dialog the first one of a call."""
        remote_tag = f";tag={dialog.remote_tag}" if dialog and dialog.remote_tag else ""
        local_tag = dialog.local_tag if dialog else self.local_tag
        message = Message(start=f"{method} {uri} SIP/2.0")
        message.headers = [
            ("Via", via),
            ("Max-Forwards", "70"),
            ("From", f"{self.local};tag={local_tag}"),
            ("To", f"{self.remote}{remote_tag}"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {method}"),
        ]
        message.headers += [("Route", route) for route in (dialog.routes if dialog else ())]
        return message

    def _learn(self, dialog: Dialog, message: Message, status: int, *, reverse: bool) -> None:
        if not dialog.established:  # the route set is fixed once the dialog is
            routes = [entry for value in message.all("Record-Route") for entry in split_list(value)]
            if routes or not dialog.routes:
                dialog.routes = routes[::-1] if reverse else routes
        dialog.target = message.contact or dialog.target
        dialog.established = dialog.established or status >= 200
        if dialog.established or self.current is None or not self.current.established:
            self.current = dialog
