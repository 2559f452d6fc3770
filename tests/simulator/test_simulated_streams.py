"""On one TCP connection an answer in pieces is never cut by another."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.lines import Stream

moments = st.floats(0.0, 3.0)
answers = st.lists(
    st.tuples(moments, st.lists(moments, min_size=1, max_size=3).map(sorted)), max_size=8
)


@given(answers)
def test_pieces_of_two_answers_never_alternate(asked):
    stream, sent = Stream(), []
    now = 0.0
    for number, (pause, when) in enumerate(asked):
        now += pause
        pieces = [(after, bytes([number])) for after in when]
        sent += [(now + after, piece) for after, piece in stream.placed(pieces, now)]
    order = [piece for _, piece in sorted(sent)]
    runs = [piece for at, piece in enumerate(order) if at == 0 or order[at - 1] != piece]
    assert len(runs) == len(set(runs))


def test_an_answer_alone_is_sent_when_it_wants_to_be():
    assert Stream().placed([(0.1, b"a"), (0.3, b"b")], 5.0) == [(0.1, b"a"), (0.3, b"b")]
