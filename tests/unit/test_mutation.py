"""The fuzzer's own promises: mutations can be repeated, fit a datagram, and change something."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.attack.mutation import MOST, mutated

SOUND = b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\nCSeq: 1 OPTIONS\r\n\r\n"


@given(st.binary(max_size=2000), st.integers(), st.lists(st.binary(max_size=200), max_size=3))
def test_the_same_dice_give_the_same_message_and_it_fits_a_datagram(
    data: bytes, seed: int, others: list[bytes]
) -> None:
    made = mutated(data, Random(seed), others)
    assert made == mutated(data, Random(seed), others)
    assert len(made) <= MOST


def test_hardly_any_mutation_leaves_a_message_as_it_is() -> None:
    made = [mutated(SOUND, Random(seed), [SOUND]) for seed in range(500)]
    assert len(set(made)) > 450
    assert sum(one == SOUND for one in made) < 10
