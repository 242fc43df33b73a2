"""The gateway of an SMS provider: each message is one HTTP request, made from the template in the configuration."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from b2bua.log import logger
from b2bua.outside.answer import Garbage
from b2bua.outside.asking import Asker, PullFailed
from b2bua.outside.question import PLAIN, Request, authorization
from b2bua.settings import Sms
from routing.url_template import fill_url

log = logger("tandem.sms")

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"Seconds before a message is sent again: doubled each time."
ANSWER = 64 * 1024
_NAMES = re.compile(r"\{(to|text|id)\}")


@dataclass(frozen=True, slots=True)
class Message:
    """One text to one number."""

    id: str
    "The same in every try, so that a provider can tell a repeat."
    to: str
    text: str


def request_of(template: Sms, message: Message) -> Request:
    """The request that sends it."""
    values = {"to": message.to, "text": message.text, "id": message.id}
    secret = template.secret.get_secret_value() if template.secret is not None else None
    headers = (*PLAIN, *authorization(secret))
    url = fill_url(template.url, values)
    if template.method == "GET":
        return Request("GET", url, headers)
    escape = _form if "urlencoded" in template.content_type else _json if "json" in template.content_type else str
    body = _NAMES.sub(lambda found: escape(values[found[1]]), template.body)
    return Request("POST", url, (("Content-Type", template.content_type), *headers), body.encode("utf-8", "replace"))


def _json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _form(text: str) -> str:
    return quote(text, safe="")


class Gateway:
    """Sends messages. `observe` is told what came of a try: sent, failed or given-up."""

    def __init__(self, template: Sms, asker: Asker, observe: Callable[[str], None] = lambda result: None) -> None:
        self.template, self._asker, self._observe = template, asker, observe

    async def send(self, message: Message) -> bool:
        """Until the provider takes it, or its time is over; whether it was taken. Its text is in no log."""
        loop = asyncio.get_running_loop()
        until, pause = loop.time() + self.template.retry_for, FIRST_PAUSE
        while True:
            try:
                await self._asker.ask(
                    "sms", request_of(self.template, message), self._read, self.template.timeout,
                    max_bytes=ANSWER, statuses=frozenset(range(200, 300)),
                )  # fmt: skip
            except PullFailed as failed:
                if loop.time() + pause > until:
                    self._observe("given-up")
                    log.warning(
                        "a text message was not taken and is given up", message=message.id, reason=str(failed),
                        do="see to the SMS provider and to [sms] in the configuration",
                    )  # fmt: skip
                    return False
                self._observe("failed")
            else:
                self._observe("sent")
                return True
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _read(self, body: bytes) -> None:
        if self.template.expect and self.template.expect not in body.decode("utf-8", "replace"):
            raise Garbage("the answer does not say what `sms.expect` wants")
