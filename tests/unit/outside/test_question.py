"""How a question to a tenant's system looks on the wire (R1-06, R1-07)."""

import json
import xmlrpc.client

import pytest

from b2bua.outside.question import BadUrl, Question, authorization, expand, json_request, url_mistakes, xmlrpc_request

QUESTION = Question("7001", "000042", "0190-call", "4008100001", "+86 21/5?&")


def test_numbers_are_put_into_path_and_query_percent_encoded() -> None:
    url = "https://crm.test/rows/{access_id}/{sequence}?from={billing}&to={called}&call={call}"
    assert expand(url, QUESTION) == (
        "https://crm.test/rows/7001/000042?from=%2B86%2021%2F5%3F%26&to=4008100001&call=0190-call"
    )


def test_a_url_without_path_gets_one() -> None:
    assert expand("http://crm.test?s={sequence}", QUESTION) == "http://crm.test/?s=000042"


@pytest.mark.parametrize(
    ("url", "mistake"),
    [
        ("ftp://crm.test/", "must begin with http:// or https://"),
        ("http:///rows", "has no host"),
        ("http://u:p@crm.test/", "must not carry a user or password: put it into `secret`"),
        ("http://{called}.test/", "may have braces in its path and query only"),
        ("http://crm.test/{secret}", "unknown name {secret}"),
        ("http://crm.test/{sequence", "has a brace without its partner"),
        ("http://crm.test/a b", "only printable ASCII characters are allowed (percent-encode the others)"),
        ("http://crm.test/\r\nX: y", "only printable ASCII characters are allowed (percent-encode the others)"),
        ("http://crm.test:99999/", "Port out of range 0-65535"),
        ("http://crm.test/" + "a" * 2048, "longer than 2048 characters"),
    ],
)
def test_a_url_that_cannot_be_used_says_why(url: str, mistake: str) -> None:
    assert mistake in url_mistakes(url)
    with pytest.raises(BadUrl):
        expand(url, QUESTION)


def test_all_mistakes_of_a_url_are_named_at_once() -> None:
    assert len(url_mistakes("ftp://u@/{x}/{y}")) == 5


def test_a_url_with_a_place_for_the_number_is_a_get() -> None:
    request = json_request("http://crm.test/{sequence}", None, QUESTION)
    assert (request.method, request.body) == ("GET", None)


def test_a_url_without_one_is_a_post_with_all_fields() -> None:
    request = json_request("http://crm.test/lookup", None, QUESTION)
    assert request.method == "POST"
    assert request.body is not None
    assert json.loads(request.body) == QUESTION.fields()


def test_an_xmlrpc_question_is_one_struct_to_the_method_named_after_the_hash() -> None:
    request = xmlrpc_request("http://crm.test/RPC2#crm.lookup", None, QUESTION)
    assert request.url == "http://crm.test/RPC2"
    assert request.body is not None
    assert xmlrpc.client.loads(request.body) == ((QUESTION.fields(),), "crm.lookup")


def test_a_secret_with_a_colon_is_basic_and_any_other_bearer() -> None:
    assert authorization("user:word") == (("Authorization", "Basic dXNlcjp3b3Jk"),)
    assert authorization("abc123") == (("Authorization", "Bearer abc123"),)
    assert authorization(None) == authorization("") == ()


def test_a_request_does_not_show_its_secret() -> None:
    assert "hush" not in repr(json_request("http://crm.test/", "hush", QUESTION))
