"""The tables of the configuration about reports and text messages."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr

from routing.url_template import url_mistakes

from .values import Section

SMS_NAMES = frozenset({"to", "text", "id"})
"What may stand in braces in the URL and the body of a provider."


def _known_zone(text: str) -> str:
    """The name of a time zone that this machine knows."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise ValueError(f'"{text}" is no time zone of this machine') from None
    return text


def _url(text: str) -> str:
    if text and (mistakes := url_mistakes(text, SMS_NAMES)):
        raise ValueError("; ".join(mistakes))
    return text


class Reports(Section):
    """Statistics counted from the events."""

    zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    "Time zone in which days begin, such as `Europe/Berlin`. After a change, `tandem report rebuild`."
    keep_quarters: Annotated[int, Field(ge=1, le=36500)] = 400
    "Days that figures by the quarter of an hour are kept; those by the day stay for ever."
    keep_calls: Annotated[int, Field(ge=1, le=36500)] = 30
    "Days that filtered calls are kept for reporting servers that are away."


class Sms(Section):
    """The gateway of an SMS provider, as a template of its HTTP request; without a URL no messages are sent."""

    url: Annotated[str, AfterValidator(_url)] = ""
    "Where to, with `{to}`, `{text}` and `{id}` in its path or query where the provider wants them there."
    method: Literal["GET", "POST"] = "POST"
    "HTTP method."
    content_type: str = "application/json"
    "Kind of the body: decides how texts are escaped in it (JSON, or a form's percent-encoding)."
    body: str = '{"to":"{to}","text":"{text}","id":"{id}"}'
    "The body, with the same names in it; other braces stand for themselves. Not sent with GET."
    secret: SecretStr | None = None
    "`user:password` for Basic authentication, or a Bearer token."
    expect: str = ""
    "Text that a good answer contains, beside a status of 200 to 299; empty: the status is enough."
    timeout: Annotated[float, Field(gt=0, le=60)] = 10
    "Seconds for one request."
    retry_for: Annotated[float, Field(ge=0, le=86400)] = 600
    "Seconds for which a message that was not taken is tried again."
