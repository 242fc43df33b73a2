"""What is outside fits the ports; mypy is the judge, the test only runs what it checks."""

from b2bua.storage.directory import DirectoryFeed
from b2bua.storage.tokens import Claim, ClaimOutcome, Token, Tokens
from routing.outcome import Outcome
from routing.ports import ClaimAnswer, DirectorySource, TokenRow, TokenStore


def store_of(tokens: Tokens) -> TokenStore:
    return tokens


def answer_of(claim: Claim) -> ClaimAnswer:
    return claim


def row_of(token: Token) -> TokenRow:
    return token


def source_of(feed: DirectoryFeed) -> DirectorySource:
    return feed


def test_our_storage_is_a_token_store() -> None:
    """R1-09: claim, consume and release are one atomic step each."""
    for name in ("claim", "consume", "release"):
        assert callable(getattr(Tokens, name))
        assert name in vars(TokenStore)


def test_every_answer_to_a_claim_is_an_outcome_of_correlation() -> None:
    """R1-05, R1-09: the same word in the claim, the CDR and the metric."""
    for answer in ClaimOutcome:
        if answer is not ClaimOutcome.CLAIMED:
            assert Outcome(f"token-{answer}").failed
