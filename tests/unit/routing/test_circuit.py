"""Whether a far end is there."""

from hypothesis import given
from hypothesis import strategies as st

from routing.circuit import Circuit, State

answers = st.sampled_from([0, 200, 403, 404, 405, 408, 481, 500, 503])


def test_any_final_answer_but_408_and_503_is_a_life_sign() -> None:
    for code in (200, 401, 403, 404, 405, 480, 481, 500, 501, 603):
        assert Circuit().probed(code, 3) == Circuit(State.UP, 0, True)
    for code in (0, 408, 503):
        assert Circuit().probed(code, 3) == Circuit(State.UNKNOWN, 1)


def test_out_after_so_many_losses_and_back_at_the_first_answer() -> None:
    circuit = Circuit().probed(200, 3)
    for losses in (1, 2):
        circuit = circuit.probed(0, 3)
        assert circuit == Circuit(State.UP, losses, True)
    circuit = circuit.probed(503, 3)
    assert circuit.state is State.OUT
    assert not circuit.usable
    assert circuit.probed(404, 3) == Circuit(State.UP, 0, True)


@given(st.lists(answers, max_size=30), st.integers(1, 5))
def test_who_has_never_answered_is_warned_of_and_never_out(codes: list[int], most: int) -> None:
    circuit = Circuit()
    for code in codes:
        circuit = circuit.probed(code, most)
        assert circuit.usable or circuit.ever
        assert (circuit.state is State.WARNING) <= (not circuit.ever)
    assert circuit.ever is any(code not in (0, 408, 503) for code in codes)


def test_a_word_in_a_call_counts_as_life() -> None:
    assert Circuit(State.OUT, 3, True).heard() == Circuit(State.UP, 0, True)
    assert Circuit(State.UNKNOWN, 2).heard() == Circuit()
