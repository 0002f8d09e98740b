"""Frames: exact round trips, and nothing but MessageInvalid for everything else."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.errors import MessageInvalid
from cleanroom.transport.frames import CHUNK, MAX_MESSAGE, Assembly, encode, read_head

GATE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80)


def decode(frames: list[bytes], max_words: int = 1 << 20) -> tuple[str, np.ndarray]:
    gate, n_words, first = read_head(frames[0], max_words)
    assembly = Assembly(n_words)
    vector = assembly.feed(first)
    for frame in frames[1:]:
        assert vector is None
        vector = assembly.feed(frame)
    if vector is None:
        raise MessageInvalid("cut short")
    return gate, vector


@given(GATE, st.sampled_from([0, 1, 63, 64, CHUNK // 8 - 1, CHUNK // 8, CHUNK // 8 + 1, 300_000]))
def test_a_vector_comes_back_as_it_went(gate: str, n: int) -> None:
    vector = np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    frames = list(encode(gate, vector))
    assert all(len(frame) <= MAX_MESSAGE for frame in frames)
    back_gate, back = decode(frames)
    assert back_gate == gate
    assert back.dtype == np.uint64
    np.testing.assert_array_equal(back, vector)


@given(st.binary(max_size=700))
def test_garbage_is_refused_or_read_within_bounds(frame: bytes) -> None:
    try:
        gate, n_words, first = read_head(frame, max_words=100)
        Assembly(n_words).feed(first)
    except MessageInvalid:
        return
    assert 0 < len(gate) <= 512
    assert n_words <= 100


@given(st.integers(0, 400), st.integers(0, 7))
def test_a_flipped_bit_never_goes_unseen_in_the_head(position: int, bit: int) -> None:
    frame = bytearray(next(encode("query/step", np.arange(50, dtype=np.uint64))))
    frame[position] ^= 1 << bit
    try:
        gate, vector = decode([bytes(frame)])
    except MessageInvalid:
        return
    if position < 20:
        assert gate != "query/step"
    assert vector.shape == (50,)


def test_a_truncated_vector_is_not_delivered() -> None:
    frames = list(encode("g", np.zeros(300_000, np.uint64)))
    with pytest.raises(MessageInvalid):
        decode(frames[:-1])
    with pytest.raises(MessageInvalid, match="longer"):
        decode([frames[0], *frames[1:-1], frames[-1] + b"12345678"])


def test_a_declared_size_over_the_limit_takes_no_memory() -> None:
    frame = b"\x01\x00" + (1 << 60).to_bytes(8, "little") + b"g"
    tracemalloc.start()
    with pytest.raises(MessageInvalid, match="at most"):
        read_head(frame)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
