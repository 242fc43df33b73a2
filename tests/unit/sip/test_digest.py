"""Digest authentication: the RFCs' own examples, nonces that are good once, and answers that tell nothing."""

from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.sip.authenticator import Authenticator, Finding, Verdict
from b2bua.sip.digest import ALGORITHMS, Algorithm, Answer, ha1, response
from b2bua.sip.message import Message
from b2bua.sip.nonces import AGAIN_WITHIN, WINDOW, Age, Nonces, Use
from routing.directory import Credentials

RFC_7616 = Answer(
    username="Mufasa",
    realm="http-auth@example.org",
    nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    uri="/dir/index.html",
    response="",
    algorithm="MD5",
    cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    nc="00000001",
)
PASSWORD = "a password with ü"
SOURCE = ("192.0.2.7", 5060)


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm: Algorithm, expected: str) -> None:
    known = ha1(algorithm, RFC_7616.username, RFC_7616.realm, "Circle of Life")
    assert response(algorithm, known, "GET", replace(RFC_7616, algorithm=algorithm)) == expected


def test_the_example_of_rfc_2617() -> None:
    answer = Answer(
        "Mufasa", "testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "/dir/index.html", "", "MD5",
        "0a4f113b", "00000001",
    )  # fmt: skip
    known = ha1("MD5", answer.username, answer.realm, "Circle Of Life")
    assert response("MD5", known, "GET", answer) == "6629fae49393a05397450978507c4ef1"


@given(st.text(max_size=300))
def test_no_authorization_hurts(text: str) -> None:
    Answer.parse(text)
    Answer.parse("Digest " + text)


@pytest.mark.parametrize(
    "broken",
    [
        {"algorithm": "MD5-sess"},
        {"algorithm": "SHA-512-256"},
        {"qop": "auth-int"},
        {"qop": None},
        {"nc": "1"},
        {"nc": "0000000g"},
        {"nonce": None},
        {"cnonce": None},
        {"response": "abc"},
        {"username": '"1001", username="1002"'},
    ],
)
def test_what_is_no_answer_to_our_challenge(broken: dict[str, str | None]) -> None:
    assert Answer.parse(_authorization()) is not None
    assert Answer.parse(_authorization(broken)) is None


def _authorization(changed: dict[str, str | None] | None = None, algorithm: Algorithm = "MD5") -> str:
    said: dict[str, str | None] = {
        "username": '"1001"',
        "realm": '"tandem"',
        "nonce": '"abc, def=="',
        "uri": '"sip:tandem"',
        "response": '"' + "0" * (32 if algorithm == "MD5" else 64) + '"',
        "algorithm": algorithm,
        "cnonce": '"x"',
        "nc": "00000001",
        "qop": "auth",
    }
    said |= changed or {}
    return "Digest " + ", ".join(f"{name}={value}" for name, value in said.items() if value is not None)


# -- nonces


def test_a_nonce_is_for_one_address_and_one_process_and_not_for_ever() -> None:
    nonces = Nonces(lifetime=10)
    nonce = nonces.make("192.0.2.7", 100.0)
    assert nonces.age(nonce, "192.0.2.7", 110.0) is Age.FRESH
    assert nonces.age(nonce, "192.0.2.7", 110.1) is Age.OLD
    assert nonces.age(nonce, "192.0.2.8", 101.0) is Age.FOREIGN
    assert Nonces().age(nonce, "192.0.2.7", 101.0) is Age.FOREIGN


@given(st.text(max_size=80))
def test_nobody_makes_up_a_nonce(text: str) -> None:
    assert Nonces().age(text, "192.0.2.7", 0.0) is Age.FOREIGN


def test_a_nonce_written_otherwise_is_another_one() -> None:
    nonces = Nonces()
    nonce = nonces.make("192.0.2.7", 1.0)
    for other in (nonce + "=", nonce + "\n", " " + nonce, nonce.rstrip("="), nonce[:-1] + "!"):
        if other != nonce:
            assert nonces.age(other, "192.0.2.7", 1.0) is Age.FOREIGN


def test_a_count_serves_once_and_a_retransmission_is_no_replay() -> None:
    nonces = Nonces()
    nonce = nonces.make("a", 0.0)
    assert nonces.use(nonce, 1, "register", 0.0) is Use.FIRST
    assert nonces.use(nonce, 1, "register", AGAIN_WITHIN) is Use.AGAIN
    assert nonces.use(nonce, 1, "register", AGAIN_WITHIN + 0.1) is Use.REPLAYED
    assert nonces.use(nonce, 1, "another", 0.0) is Use.REPLAYED
    assert nonces.use(nonce, 0, "zero", 0.0) is Use.REPLAYED


@given(st.lists(st.integers(1, 60), max_size=80))
def test_no_count_is_ever_first_twice(counts: list[int]) -> None:
    nonces = Nonces()
    nonce = nonces.make("a", 0.0)
    firsts = [count for at, count in enumerate(counts) if nonces.use(nonce, count, str(at), 0.0) is Use.FIRST]
    assert len(firsts) == len(set(firsts))


def test_counts_may_overtake_each_other_a_little() -> None:
    nonces = Nonces()
    nonce = nonces.make("a", 0.0)
    assert nonces.use(nonce, WINDOW + 1, "late", 0.0) is Use.FIRST
    assert nonces.use(nonce, 2, "early", 0.0) is Use.FIRST
    assert nonces.use(nonce, 1, "too early", 0.0) is Use.REPLAYED


def test_what_is_forgotten_cannot_be_used_again() -> None:
    nonces = Nonces(most=10)
    made = [nonces.make("a", float(at)) for at in range(12)]
    for at, nonce in enumerate(made):
        assert nonces.use(nonce, 1, "x", float(at)) is Use.FIRST
    assert nonces.age(made[0], "a", 12.0) is Age.OLD
    assert nonces.age(made[1], "a", 12.0) is Age.OLD
    assert nonces.age(made[2], "a", 12.0) is Age.FRESH
    assert len(nonces._used) == 10


# -- who is it?


class Client:
    """A phone that answers challenges."""

    def __init__(self, password: str = PASSWORD, username: str = "1001", agent: str = "phone") -> None:
        self.password, self.username, self.agent = password, username, agent
        self.count = 0

    def message(self, verdict: Verdict | None, algorithm: Algorithm = "MD5", nc: int = 0, uri: str = "") -> Message:
        authorization = ""
        if verdict is not None:
            self.count = nc or self.count + 1
            challenge = next(one for one in verdict.challenges if f"algorithm={algorithm}" in one)
            nonce = challenge.split('nonce="')[1].partition('"')[0]
            blank = Answer(self.username, "tandem", nonce, uri or "sip:tandem", "", algorithm, "c", f"{self.count:08x}")
            given = response(algorithm, ha1(algorithm, self.username, "tandem", self.password), "REGISTER", blank)
            said = {"username": f'"{self.username}"', "nonce": f'"{nonce}"', "response": f'"{given}"', "cnonce": '"c"'}
            more = {"nc": blank.nc, "uri": f'"{blank.uri}"'}
            authorization = f"Authorization: {_authorization(cast(dict[str, str | None], said | more), algorithm)}\r\n"
        return Message.of(
            "REGISTER sip:tandem SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nCall-ID: 1\r\n"
            f"User-Agent: {self.agent}\r\nCSeq: 2 REGISTER\r\n{authorization}\r\n"
        )


def _authenticator(algorithms: tuple[Algorithm, ...] = ALGORITHMS) -> Authenticator:
    known = Credentials("tandem", ha1("MD5", "1001", "tandem", PASSWORD), ha1("SHA-256", "1001", "tandem", PASSWORD))
    return Authenticator("tandem", algorithms, {"1001": known}.get, md5_phones=("Old Phone",))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_phone_is_asked_and_known(algorithm: Algorithm) -> None:
    authenticator, client = _authenticator(), Client()
    asked = authenticator.check(client.message(None), SOURCE, 0.0)
    assert asked.finding is Finding.ASKED
    assert not asked.extension
    answer = client.message(asked, algorithm)
    assert authenticator.check(answer, SOURCE, 1.0) == Verdict(Finding.KNOWN, "1001")
    assert authenticator.check(answer, SOURCE, 1.5) == Verdict(Finding.REPEATED, "1001")
    assert authenticator.check(client.message(asked, algorithm), SOURCE, 2.0).finding is Finding.KNOWN


def test_the_credentials_of_another_request_are_of_no_use() -> None:
    authenticator, client = _authenticator(), Client()
    asked = authenticator.check(client.message(None), SOURCE, 0.0)
    caught = client.message(asked)
    assert authenticator.check(caught, SOURCE, 0.0).finding is Finding.KNOWN
    from_port = authenticator.check(caught, (SOURCE[0], 6000), 1.0)
    assert (from_port.finding, from_port.passed) == (Finding.REPLAYED, False)
    from_elsewhere = authenticator.check(caught, ("198.51.100.1", 5060), 1.0)
    assert (from_elsewhere.finding, from_elsewhere.passed) == (Finding.ASKED, False)
    later = authenticator.check(caught, SOURCE, 40.0)
    assert later.finding is Finding.REPLAYED
    other_place = client.message(asked, uri="sip:0049891234@tandem")
    assert authenticator.check(other_place, SOURCE, 1.0).finding is Finding.REPLAYED


def test_an_old_nonce_is_stale_where_the_password_is_right_and_only_there() -> None:
    authenticator, client = _authenticator(), Client()
    asked = authenticator.check(client.message(None), SOURCE, 0.0)
    old = authenticator.check(client.message(asked), SOURCE, 301.0)
    assert old.finding is Finding.ASKED
    assert all("stale=true" in one for one in old.challenges)
    assert authenticator.check(client.message(old), SOURCE, 301.5).finding is Finding.KNOWN
    thief = Client(password="guess")
    assert authenticator.check(thief.message(asked), SOURCE, 301.0) == Verdict(Finding.WRONG)


def test_unknown_extensions_look_like_wrong_passwords() -> None:
    authenticator = _authenticator()
    for client in (Client(password="guess"), Client(username="9999"), Client(username="9999", password="x")):
        asked = authenticator.check(client.message(None), SOURCE, 0.0)
        assert asked.finding is Finding.ASKED
        assert authenticator.check(client.message(asked), SOURCE, 0.0) == Verdict(Finding.WRONG)


def test_algorithms_stand_in_their_order_and_old_phones_see_one() -> None:
    asked = _authenticator(("SHA-256", "MD5")).check(Client().message(None), SOURCE, 0.0)
    assert ["SHA-256" in one for one in asked.challenges] == [True, False]
    old = _authenticator(("SHA-256", "MD5")).check(Client(agent="Old Phone 2.1").message(None), SOURCE, 0.0)
    assert ["MD5" in one for one in old.challenges] == [True]
    strict, client = _authenticator(("SHA-256",)), Client()
    asked = _authenticator().check(client.message(None), SOURCE, 0.0)
    assert strict.check(client.message(asked, "MD5"), SOURCE, 0.0).finding is Finding.ASKED
