"""Tokens on both databases: issue, claim, consume, release, revoke (R1-01, R1-02, R1-09)."""

import asyncio
import os
from collections import Counter
from itertools import pairwise

import pytest

from b2bua.storage import Conflict, Duplicate, NotFound, NumberSpaceFull, Storage
from b2bua.storage.tokens import ClaimOutcome, NewToken, State, Tokens

NOW = 1_800_000_000.0

MANY = int(os.environ.get("TANDEM_TEST_TOKENS", "10000"))


@pytest.fixture
def tokens(storage: Storage) -> Tokens:
    return Tokens(storage, "n1")


async def issued(tokens: Tokens, new: NewToken | None = None, tenant: str = "acme") -> str:
    return (await tokens.issue(tenant, new or NewToken(), width=6, ttl=300.0, now=NOW)).sequence


async def test_an_issued_token_can_be_read_at_once(tokens: Tokens) -> None:
    """R1-02: everything the customer system left is there when the answer goes out."""
    new = NewToken(caller="13800138000", extension="801", data={"name": "张三", "orders": [1, 2], "deep": {"a": None}})
    token = await tokens.issue("acme", new, width=6, ttl=300.0, now=NOW)
    assert await tokens.look_up("acme", token.sequence) == token
    assert (token.caller, token.extension, token.data) == (new.caller, new.extension, new.data)
    assert (token.state, token.expires_at) == (State.FREE, NOW + 300)
    assert len(token.sequence) == 6
    assert token.sequence.isdigit()


async def test_a_token_survives_a_restart(url: str) -> None:
    """R1-02."""
    storage = await Storage.open(url)
    token = await Tokens(storage, "n1").issue("acme", NewToken(data={"x": 1}), width=6, ttl=300.0, now=NOW)
    await storage.close()
    storage = await Storage.open(url)
    assert await Tokens(storage, "n1").look_up("acme", token.sequence) == token
    await storage.close()


async def test_numbers_do_not_repeat_while_they_live(tokens: Tokens) -> None:
    """R1-01: a bulk issue and single ones, in a space small enough to collide often."""
    many = await tokens.issue_many("acme", [NewToken(data={"n": n}) for n in range(700)], width=3, ttl=300.0, now=NOW)
    assert [token.data["n"] for token in many] == list(range(700))
    some = [await tokens.issue("acme", NewToken(), width=3, ttl=300.0, now=NOW) for _ in range(100)]
    assert len({token.sequence for token in [*many, *some]}) == 800
    assert await tokens.live("acme", NOW) == 800


async def test_a_million_numbers_do_not_repeat_and_do_not_follow_each_other(tokens: Tokens) -> None:
    """R1-01: T: 10^6 numbers, no repeat inside their lifetime (fewer unless TANDEM_TEST_TOKENS says so).

    No number tells anything about the next: ascents and descents alternate as in a shuffled row, all digits are as
    frequent at every place, and claims go on while the numbers are issued.
    """
    issuing = asyncio.ensure_future(
        tokens.issue_many("acme", [NewToken()] * MANY, width=8, ttl=300.0, now=NOW),
    )
    claims = 0
    while not issuing.done():
        assert (await tokens.claim("acme", "not a number", "call-1", NOW, timeout=10)).outcome is ClaimOutcome.UNKNOWN
        claims += 1
    sequences = [token.sequence for token in await issuing]
    assert claims > MANY / 10_000
    assert len(set(sequences)) == MANY
    rises = sum(one < other for one, other in pairwise(sequences))
    assert abs(rises / MANY - 0.5) < 0.02
    for place in range(8):
        for digit, count in Counter(sequence[place] for sequence in sequences).items():
            assert abs(count / MANY - 0.1) < 0.02, f"{digit} at {place}"


async def test_numbers_of_two_tenants_are_apart(tokens: Tokens) -> None:
    """R1-01: uniqueness is per tenant, and nobody reaches another's row."""
    await issued(tokens, NewToken(sequence="000042", data={"of": "acme"}))
    await issued(tokens, NewToken(sequence="000042", data={"of": "other"}), tenant="other")
    claim = await tokens.claim("other", "000042", "call-1", NOW)
    assert claim.token is not None
    assert claim.token.data == {"of": "other"}
    found = await tokens.look_up("acme", "000042")
    assert found is not None
    assert found.state is State.FREE


async def test_a_nearly_full_space_is_a_clear_error(tokens: Tokens) -> None:
    """R1-01: neither an endless search nor a number that is easily guessed."""
    issued_before = 0

    async def issue_all() -> None:
        nonlocal issued_before
        for _ in range(100):
            await tokens.issue("acme", NewToken(), width=2, ttl=300.0, now=NOW)
            issued_before += 1

    with pytest.raises(NumberSpaceFull) as full:
        await issue_all()
    assert 80 <= issued_before < 100
    assert (full.value.capacity, full.value.live) == (100, issued_before)
    with pytest.raises(NumberSpaceFull):
        await tokens.issue_many("acme", [NewToken()] * 20, width=2, ttl=300.0, now=NOW)
    assert await tokens.live("acme", NOW) == issued_before
    again = await tokens.issue_many("acme", [NewToken()] * 20, width=2, ttl=300.0, now=NOW + 300)
    assert len({token.sequence for token in again}) == 20


async def test_a_number_whose_life_is_over_can_be_issued_again(tokens: Tokens) -> None:
    """R1-01: with a new identity, and nothing left of its earlier life."""
    sequence = await issued(tokens)
    old = await tokens.look_up("acme", sequence)
    await tokens.claim("acme", sequence, "call-1", NOW)
    await tokens.consume("acme", sequence, "call-1", NOW + 1)
    with pytest.raises(Duplicate):
        await tokens.issue("acme", NewToken(sequence=sequence), width=6, ttl=300.0, now=NOW + 299)
    await tokens.issue("acme", NewToken(sequence=sequence, caller="1"), width=6, ttl=300.0, now=NOW + 300)
    new = await tokens.look_up("acme", sequence)
    assert old is not None
    assert new is not None
    assert new.id != old.id
    assert (new.state, new.caller, new.call, new.consumed_at) == (State.FREE, "1", None, None)


async def test_a_claimed_number_is_not_issued_again_however_old(tokens: Tokens) -> None:
    """R1-09: the call that rings with it must be able to consume it."""
    sequence = await issued(tokens)
    await tokens.claim("acme", sequence, "call-1", NOW)
    with pytest.raises(Duplicate):
        await tokens.issue("acme", NewToken(sequence=sequence), width=6, ttl=300.0, now=NOW + 1000)
    assert await tokens.consume("acme", sequence, "call-1", NOW + 1000)


async def test_a_tenants_own_number_is_taken_or_refused(tokens: Tokens) -> None:
    """R1-01: own numbers share the space with drawn ones."""
    assert await issued(tokens, NewToken(sequence="004711")) == "004711"
    with pytest.raises(Duplicate, match="004711"):
        await issued(tokens, NewToken(sequence="004711"))
    for wrong in ("4711", "0004711", "00471x", "٠٠٤٧١١", ""):
        with pytest.raises(ValueError, match="6 digits"):
            await issued(tokens, NewToken(sequence=wrong))


async def test_a_bulk_issue_may_mix_own_and_drawn_numbers(tokens: Tokens) -> None:
    """R1-01."""
    news = [NewToken(sequence=f"{n:02}") if n % 2 else NewToken() for n in range(60)]
    many = await tokens.issue_many("acme", news, width=2, ttl=300.0, now=NOW)
    assert [token.sequence for token in many][1::2] == [f"{n:02}" for n in range(1, 60, 2)]
    assert len({token.sequence for token in many}) == 60
    with pytest.raises(Duplicate, match="01"):
        await tokens.issue_many("acme", [NewToken(), NewToken(sequence="01")], width=2, ttl=300.0, now=NOW)
    with pytest.raises(Duplicate, match="twice"):
        await tokens.issue_many("acme", [NewToken(sequence="00")] * 2, width=2, ttl=300.0, now=NOW)
    assert await tokens.live("acme", NOW) == 60


async def test_two_bulk_issues_at_once_get_different_numbers(tokens: Tokens) -> None:
    """R1-01: also when they keep drawing each other's numbers."""
    both = await asyncio.gather(
        *(tokens.issue_many("acme", [NewToken()] * 400, width=3, ttl=300.0, now=NOW) for _ in range(2))
    )
    assert len({token.sequence for many in both for token in many}) == 800


async def test_of_64_claims_at_once_one_wins(tokens: Tokens) -> None:
    """R1-09."""
    sequence = await issued(tokens)
    claims = await asyncio.gather(*(tokens.claim("acme", sequence, f"call-{n}", NOW, timeout=10) for n in range(64)))
    outcomes = [claim.outcome for claim in claims]
    assert outcomes.count(ClaimOutcome.CLAIMED) == 1
    assert outcomes.count(ClaimOutcome.BUSY) == 63
    winner = outcomes.index(ClaimOutcome.CLAIMED)
    found = await tokens.look_up("acme", sequence)
    assert found is not None
    assert (found.state, found.call, found.node) == (State.CLAIMED, f"call-{winner}", "n1")
    assert claims[winner].token == found


async def test_the_same_call_may_claim_again(tokens: Tokens) -> None:
    """R1-09: a claim whose answer was lost is simply repeated."""
    sequence = await issued(tokens)
    first = await tokens.claim("acme", sequence, "call-1", NOW)
    again = await tokens.claim("acme", sequence, "call-1", NOW + 1)
    assert again == first


async def test_unanswered_then_retried_is_served(tokens: Tokens) -> None:
    """R1-09: the carrier's own retry comes as another call."""
    sequence = await issued(tokens)
    await tokens.claim("acme", sequence, "call-1", NOW)
    assert not await tokens.release("acme", sequence, "call-2")
    assert await tokens.release("acme", sequence, "call-1")
    assert not await tokens.release("acme", sequence, "call-1")
    assert (await tokens.claim("acme", sequence, "call-2", NOW)).outcome is ClaimOutcome.CLAIMED


async def test_answered_then_replayed_is_refused(tokens: Tokens) -> None:
    """R1-09."""
    sequence = await issued(tokens)
    await tokens.claim("acme", sequence, "call-1", NOW)
    assert not await tokens.consume("acme", sequence, "call-2", NOW)
    assert await tokens.consume("acme", sequence, "call-1", NOW)
    assert await tokens.consume("acme", sequence, "call-1", NOW + 5), "a second time changes nothing"
    assert not await tokens.release("acme", sequence, "call-1")
    for call in ("call-1", "call-2"):
        assert (await tokens.claim("acme", sequence, call, NOW)).outcome is ClaimOutcome.USED
    found = await tokens.look_up("acme", sequence)
    assert found is not None
    assert found.consumed_at == NOW


async def test_an_unclaimed_token_cannot_be_consumed(tokens: Tokens) -> None:
    """R1-09."""
    sequence = await issued(tokens)
    assert not await tokens.consume("acme", sequence, "call-1", NOW)


async def test_a_refused_claim_says_why(tokens: Tokens) -> None:
    """R1-05: unknown, expired and revoked are told apart."""
    sequence = await issued(tokens)
    assert (await tokens.claim("acme", sequence, "call-1", NOW + 300)).outcome is ClaimOutcome.EXPIRED
    assert (await tokens.claim("acme", "999999", "call-1", NOW)).outcome is ClaimOutcome.UNKNOWN
    assert (await tokens.claim("nobody", sequence, "call-1", NOW)).outcome is ClaimOutcome.UNKNOWN
    await tokens.revoke("acme", sequence, NOW)
    assert (await tokens.claim("acme", sequence, "call-1", NOW)).outcome is ClaimOutcome.REVOKED


async def test_only_a_free_token_can_be_revoked(tokens: Tokens) -> None:
    """R1-01."""
    sequence = await issued(tokens)
    with pytest.raises(NotFound):
        await tokens.revoke("acme", "999999", NOW)
    await tokens.claim("acme", sequence, "call-1", NOW)
    with pytest.raises(Conflict, match="call-1"):
        await tokens.revoke("acme", sequence, NOW)
    await tokens.release("acme", sequence, "call-1")
    assert (await tokens.revoke("acme", sequence, NOW)).state is State.REVOKED
    assert (await tokens.revoke("acme", sequence, NOW)).state is State.REVOKED


async def test_purge_deletes_what_is_over_and_nothing_else(tokens: Tokens) -> None:
    """R1-02: the temporary table stays small."""
    await tokens.issue_many("acme", [NewToken()] * 1200, width=6, ttl=10.0, now=NOW)
    ringing = (await tokens.issue("acme", NewToken(), width=6, ttl=10.0, now=NOW)).sequence
    await tokens.claim("acme", ringing, "call-1", NOW + 9)
    alive = await issued(tokens)
    assert await tokens.purge(NOW + 10) == 0
    assert await tokens.purge(NOW + 10.5) == 1201
    # what no call can still be ringing with went too: its claim is older than the limit
    assert await tokens.look_up("acme", ringing) is None
    assert await tokens.look_up("acme", alive) is not None


async def test_tokens_are_listed_by_number_and_state(tokens: Tokens) -> None:
    """R1-02."""
    for n in range(10):
        await issued(tokens, NewToken(sequence=f"{n:06}"))
    await tokens.claim("acme", "000003", "call-1", NOW)
    page = await tokens.page("acme", limit=4)
    assert [token.sequence for token in page] == ["000000", "000001", "000002", "000003"]
    page = await tokens.page("acme", limit=4, after="000007")
    assert [token.sequence for token in page] == ["000008", "000009"]
    assert [token.sequence for token in await tokens.page("acme", state=State.CLAIMED)] == ["000003"]
    assert await tokens.page("nobody") == []
