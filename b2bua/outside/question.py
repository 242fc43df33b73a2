"""What we ask a tenant's system and in which words: a URL with the numbers put in, a JSON body, or an XML-RPC call."""

import base64
import json
import xmlrpc.client
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from routing import url_template

DEFAULT_METHOD = "tandem.caller_data"
"XML-RPC method asked for when the URL names none after a `#`."

FIELDS = ("access_id", "sequence", "call", "called", "billing")
"Names allowed in braces in the path and the query of a URL, and the members of a JSON or XML-RPC question."


class BadUrl(ValueError):
    """A connection's URL cannot be used; `mistakes` lists everything that is wrong with it."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Question:
    """One call's wish for the data behind a sequence number (R1-07)."""

    access_id: str
    sequence: str
    call: str
    "Our call id."
    called: str
    "The access number that was called."
    billing: str
    "The caller number on the wire, which is a billing number of the tenant."

    def fields(self) -> dict[str, str]:
        """The members by name, in the order of FIELDS."""
        return {name: getattr(self, name) for name in FIELDS}


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request ready to go out. The repr leaves the headers out, since one of them may be a secret."""

    method: Literal["GET", "POST"]
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"Request({self.method} {self.url})"


def url_mistakes(url: str) -> list[str]:
    """What is wrong with a connection's URL, nothing when it can be used. For configuration, so all at once."""
    return url_template.url_mistakes(url, FIELDS)


def expand(url: str, question: Question) -> str:
    """The URL with the numbers percent-encoded in place of the names in braces; BadUrl when it cannot be used."""
    if mistakes := url_mistakes(url):
        raise BadUrl(mistakes)
    return url_template.fill_url(url, question.fields())


def authorization(secret: str | None) -> tuple[tuple[str, str], ...]:
    """The header for a secret: `user:password` is Basic (RFC 7617), anything else Bearer (RFC 6750 has no colon)."""
    if not secret:
        return ()
    if ":" in secret:
        return (("Authorization", "Basic " + base64.b64encode(secret.encode()).decode("ascii")),)
    return (("Authorization", "Bearer " + secret),)


PLAIN = (("Accept-Encoding", "identity"),)


def json_request(url: str, secret: str | None, question: Question) -> Request:
    """GET when the URL has a place for the sequence number, else POST with all fields as one JSON object."""
    headers = (*PLAIN, ("Accept", "application/json"), *authorization(secret))
    if "{sequence}" in url:
        return Request("GET", expand(url, question), headers)
    body = json.dumps(question.fields()).encode()
    return Request("POST", expand(url, question), (("Content-Type", "application/json"), *headers), body)


def xmlrpc_request(url: str, secret: str | None, question: Question) -> Request:
    """POST of a method call with one struct; the method is the URL's fragment (`#crm.lookup`) or DEFAULT_METHOD."""
    method = urlsplit(url).fragment or DEFAULT_METHOD
    body = xmlrpc.client.dumps((question.fields(),), method, encoding="utf-8").encode("utf-8", "xmlcharrefreplace")
    headers = (*PLAIN, ("Content-Type", "text/xml"), ("Accept", "text/xml"), *authorization(secret))
    return Request("POST", expand(url, question), headers, body)
