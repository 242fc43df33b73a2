"""A tenant's services, each over HTTP with JSON or XML-RPC as its row says: the question in its words, one object back.

The answer of either transport is the same value; `routing.analysis` says what stands in it.
"""

import json
import xmlrpc.client
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from b2bua.outside.answer import Garbage, json_value, plain, xmlrpc_value
from b2bua.outside.asking import Asker, PullFailed, Reason
from b2bua.outside.question import PLAIN, Request, authorization
from routing.analysis import BadAnswer
from routing.services import NAMES, Service
from routing.url_template import fill_text, fill_url, url_mistakes

T = TypeVar("T")

Observer = Callable[[Service, str, float], None]
"Called after each question with the service, the outcome's word (`ok` or a Reason) and the seconds it took."

NO_ANSWER_YET = frozenset({202, 204})
GOOD = frozenset({200}) | NO_ANSWER_YET
"202 and 204: understood, and there is nothing to say (now): an empty object."
HURRIED = 0.5
"A service that had less than this share of its own time is not to blame for giving no answer."


class Services:
    """Asks tenants' services over a shared pool of connections. Each service has lane and breaker of its own."""

    def __init__(self, asker: Asker, observe: Observer | None = None) -> None:
        self._asker, self._observe = asker, observe

    async def ask(
        self,
        service: Service,
        values: Mapping[str, str],
        read: Callable[[Mapping[str, Any]], T],
        within: float,
    ) -> T:
        """What `read` makes of the answer. PullFailed after at most the service's time limit, or `within` seconds.

        `values` has every name of `routing.services.NAMES`; `read` raises BadAnswer.
        """
        began, outcome = self._asker.clock(), "cancelled"
        own = service.timeout_ms / 1000
        limit = min(own, within)
        try:
            if limit <= 0:
                raise PullFailed(Reason.TIMEOUT, "no time is left")
            answer = await self._asker.ask(
                f"service {service.id}",
                request_of(service, values),
                lambda body: _read(service, body, read),
                limit,
                max_bytes=service.max_bytes,
                statuses=GOOD,
                hurried=limit < HURRIED * own,
            )
            outcome = "ok"
            return answer
        except PullFailed as failure:
            outcome = failure.reason.value
            raise
        finally:
            if self._observe is not None:
                self._observe(service, outcome, self._asker.clock() - began)


def request_of(service: Service, values: Mapping[str, str]) -> Request:
    """The request as it goes out. PullFailed for a row that no check has seen."""
    if url_mistakes(service.url, NAMES):
        raise PullFailed(Reason.REFUSED, "the URL cannot be used")
    url = fill_url(service.url, values)
    fields = {name: fill_text(text, values) for name, text in service.fields.items()} or dict(values)
    headers = (*PLAIN, *_secret(service))
    if service.kind == "xmlrpc":
        method = urlsplit(service.url).fragment or f"tandem.{service.role.replace('-', '_')}"
        call = xmlrpc.client.dumps((fields,), method, encoding="utf-8").encode("utf-8", "xmlcharrefreplace")
        return Request("POST", url, (("Content-Type", "text/xml"), ("Accept", "text/xml"), *headers), call)
    accept = ("Accept", "application/json")
    if not service.posts:
        return Request("GET", url, (accept, *headers))
    return Request("POST", url, (("Content-Type", "application/json"), accept, *headers), json.dumps(fields).encode())


def _secret(service: Service) -> tuple[tuple[str, str], ...]:
    if service.secret and service.secret_header:
        return ((service.secret_header, service.secret),)
    return authorization(service.secret)


def _read(service: Service, body: bytes, read: Callable[[Mapping[str, Any]], T]) -> T:
    """Raises Garbage or Fault."""
    if not body and service.kind == "json":
        return read({})
    value = xmlrpc_value(body) if service.kind == "xmlrpc" else json_value(body)
    for name in service.answer.split(".") if service.answer else ():
        if not isinstance(value, dict):
            raise Garbage(f"nothing at `{service.answer}`")
        value = value.get(name)
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise Garbage("not an object")
    try:
        return read(plain(value))
    except BadAnswer as error:
        raise Garbage(str(error)) from None
