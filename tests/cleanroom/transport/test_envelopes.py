"""Messages at the edge: checked values or MessageInvalid, whatever comes in."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.errors import MessageInvalid, PolicyDenied, registry
from cleanroom.session.statements import Signed
from cleanroom.transport import faults
from cleanroom.transport import room_pb2 as pb
from cleanroom.transport.envelopes import (
    Cancel,
    Opening,
    OutcomeHeader,
    Progress,
    pack,
    unpack,
    unpack_online,
)

SESSION = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    "content",
    [
        Signed("request", "analyst", b"{}", bytes(64)),
        Progress(SESSION, "bank_a", "computing"),
        Progress("", "coordinator", "attending"),
    ],
)
def test_contents_come_back_as_they_went(content) -> None:
    assert unpack(pack(content)) == content


def test_a_fault_keeps_its_class_party_and_remedy() -> None:
    sent = PolicyDenied("column x", party="bank_a", remedy="Ask for less.")
    cancel = unpack(pack(Cancel(SESSION, sent)))
    assert isinstance(cancel, Cancel)
    assert isinstance(cancel.fault, PolicyDenied)
    assert str(cancel.fault) == str(sent)


@pytest.mark.parametrize("code", sorted(registry()))
def test_each_code_crosses_the_wire(code: str) -> None:
    error = faults.to_error(code, "bank_a", "m", "r")
    assert type(error) is registry()[code]
    assert type(faults.from_message(faults.to_message(error))) is type(error)


def test_an_unknown_code_and_control_characters_are_made_harmless() -> None:
    error = faults.to_error("__import__", "bank\x1b[2J", "a\nb\x00" * 5000, "\r")
    assert isinstance(error, MessageInvalid)
    known = faults.to_error("internal-error", "x\x1b", "a\nb" * 5000, "\r")
    assert known.message.isprintable()
    assert len(known.message) <= faults.MAX_TEXT
    assert len(faults.trailer(known)[0][1]) < 8192


@given(st.binary(max_size=300))
def test_garbage_never_raises_anything_else(message: bytes) -> None:
    for read in (unpack, Opening.of, OutcomeHeader.of, unpack_online):
        with contextlib.suppress(MessageInvalid):
            read(message)


@given(st.integers(0, 60), st.integers(0, 7))
def test_flipped_bits_never_raise_anything_else(position: int, bit: int) -> None:
    message = bytearray(pack(Signed("request", "analyst", b"{}" * 20, bytes(64))))
    message[position] ^= 1 << bit
    with contextlib.suppress(MessageInvalid):
        unpack(bytes(message))


@pytest.mark.parametrize("session", ["", "0" * 31, "0" * 33, "g" * 32, "A" * 32, "0" * 32 + "\n"])
def test_a_session_id_has_one_form(session: str) -> None:
    with pytest.raises(MessageInvalid):
        Opening.of(pb.Opening(session=session, plan_hash="0" * 64).SerializeToString())


@pytest.mark.parametrize("plan_hash", ["", "0" * 63, "G" * 64])
def test_a_plan_hash_has_one_form(plan_hash: str) -> None:
    with pytest.raises(MessageInvalid):
        Opening.of(pb.Opening(session="0" * 32, plan_hash=plan_hash).SerializeToString())


def test_a_stream_that_ends_early_is_no_message() -> None:
    with pytest.raises(MessageInvalid, match="ended"):
        Opening.of(None)
