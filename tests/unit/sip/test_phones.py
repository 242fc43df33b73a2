"""What becomes of the requests of phones before they cost anything."""

from pathlib import Path

import pytest

from b2bua.settings import Listener, Node, Settings
from b2bua.settings import Phones as PhonesSettings
from b2bua.sip.bindings import Source
from b2bua.sip.digest import Answer, ha1, response
from b2bua.sip.message import Message
from b2bua.sip.phones import Admitted, Decision, Phones
from b2bua.sip.registrar import Reply
from routing.directory import Agent, Credentials, Directory

REALM = "phones.test"
HERE = Source("inside", "udp", "192.0.2.7", 5060)
FIXED = Source("inside", "udp", "192.0.2.9", 5060)
DIRECTORY = Directory(
    agents=[
        Agent("1001", "desk", "", "", credentials=Credentials(REALM, ha1("MD5", "1001", REALM, "correct horse"))),
        Agent("1003", "fixed", "sip:1003@192.0.2.9", "inside"),
    ]
)


def nobody(message: Message) -> str:
    """Nobody's call."""
    return ""


class Office:
    """The door, and who was told on."""

    def __init__(self) -> None:
        self.guilty: list[Source] = []
        settings = Settings(
            node=Node(data_dir=Path("x")),
            listeners={"inside": Listener(side="inside", address="127.0.0.1")},
            phones=PhonesSettings(realm=REALM),
        )
        self.phones = Phones(
            settings, lambda: DIRECTORY, lambda number: number == "112", lambda change: None, self.guilty.append,
            lambda source, seconds: None, wall=lambda: 1000.0,
        )  # fmt: skip
        self.phones.fixed = frozenset({"192.0.2.9"})

    def sends(
        self, method: str, number: str = "", *, caller: str = "1001", source: Source = HERE, password: str = ""
    ) -> Decision:
        """A request; with a password the second one, after the 401."""
        uri = f"sip:{number}@tandem" if number else "sip:tandem"
        decision = self.phones.decide(method, source, _raw(method, uri, caller), nobody)
        if not password:
            return decision
        assert isinstance(decision, Reply)
        nonce = decision.headers[0][1].split('nonce="')[1].partition('"')[0]
        blank = Answer(caller, REALM, nonce, uri, "", "MD5", "c", "00000001")
        given = response("MD5", ha1("MD5", caller, REALM, password), method, blank)
        shown = (
            f'Authorization: Digest username="{caller}", realm="{REALM}", nonce="{nonce}", uri="{uri}", '
            f'response="{given}", algorithm=MD5, cnonce="c", qop=auth, nc=00000001\r\n'
        )
        return self.phones.decide(method, source, _raw(method, uri, caller, shown), nobody)


def _raw(method: str, uri: str, caller: str, more: str = "") -> bytes:
    return (
        f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nFrom: <sip:{caller}@tandem>;tag=x\r\n"
        f"To: <sip:{caller}@tandem>\r\nCall-ID: c\r\nCSeq: 1 {method}\r\n"
        f"Contact: <sip:{caller}@192.0.2.7>\r\n{more}\r\n"
    ).encode()


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_call_needs_the_password(office: Office) -> None:
    assert isinstance(office.sends("INVITE", "1002"), Reply)
    assert office.sends("INVITE", "1002", password="correct horse") == Admitted("1001")
    assert office.sends("INVITE", "112", password="correct horse") == Admitted("1001", emergency=True)
    refused = office.sends("INVITE", "1002", password="wrong")
    assert (isinstance(refused, Reply) and refused.code, office.guilty) == (403, [HERE])
    assert office.phones.counted["INVITE", "guilty"] == 1


def test_an_emergency_from_a_registered_phone_is_not_questioned(office: Office) -> None:
    assert isinstance(office.sends("INVITE", "112"), Reply)
    registered = office.sends("REGISTER", password="correct horse")
    assert isinstance(registered, Reply)
    assert registered.code == 200
    assert office.sends("INVITE", "112") == Admitted("1001", emergency=True)
    assert isinstance(office.sends("INVITE", "112", caller="1002"), Reply)
    elsewhere = Source("inside", "udp", "192.0.2.7", 5061)
    assert isinstance(office.sends("INVITE", "112", source=elsewhere), Reply)
    assert isinstance(office.sends("INVITE", "1002"), Reply)


def test_a_fixed_contact_dials_as_ever_from_its_address_alone(office: Office) -> None:
    assert office.sends("INVITE", "*42", caller="1003", source=FIXED) == Admitted("")
    assert office.sends("INVITE", "112", caller="1003", source=FIXED) == Admitted("1003", emergency=True)
    assert isinstance(office.sends("INVITE", "*42", caller="1003"), Reply)
    assert isinstance(office.sends("INVITE", "*42", caller="1001", source=FIXED), Reply)


def test_what_is_no_message_and_what_nobody_asks(office: Office) -> None:
    broken, other = office.phones.decide("INVITE", HERE, b"\x00", nobody), office.sends("PUBLISH")
    assert [one.code for one in (broken, other) if isinstance(one, Reply)] == [400, 401]
