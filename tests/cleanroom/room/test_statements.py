"""Signed statements and receipts: what one byte, one name or one hour changes."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.errors import MessageInvalid, NotAuthorised, RequestReplayed
from cleanroom.session.receipt import Receipt
from cleanroom.session.replays import Replays
from cleanroom.session.statements import (
    Failed,
    Request,
    Ruling,
    Signed,
    new_session,
    read,
    read_request,
    sign,
)


def request(room, **changes) -> Request:
    fields = {
        "session": new_session(),
        "contract_hash": room["analyst"].contract.hash,
        "recipient": "analyst",
        "sql": "add 1 of bank_a",
        "plan_hash": "0" * 64,
        "members": ("bank_a", "bank_b", "bank_c"),
        "issued_at": int(time.time()),
        "deadline_s": 60,
    }
    return Request(**{**fields, **changes})


def signed(room, statement=None, by: str = "analyst") -> Signed:
    return sign(room[by].identity, statement or request(room))


def test_a_request_comes_back_as_it_was_signed(room) -> None:
    asked = request(room)
    assert read_request(signed(room, asked), room["bank_a"].contract) == asked


@given(st.integers(0, 10_000), st.integers(0, 7), st.sampled_from(["payload", "signature"]))
def test_one_flipped_bit_is_refused(room, position: int, bit: int, field: str) -> None:
    original = signed(room)
    content = bytearray(getattr(original, field))
    content[position % len(content)] ^= 1 << bit
    with pytest.raises((MessageInvalid, NotAuthorised)):
        read_request(replace(original, **{field: bytes(content)}), room["bank_a"].contract)


@given(st.binary(max_size=400), st.sampled_from(["request", "ruling", "finished", "failed", "x"]))
def test_garbage_is_refused(room, payload: bytes, kind: str) -> None:
    with pytest.raises((MessageInvalid, NotAuthorised)):
        read(Signed(kind, "analyst", payload, bytes(64)), room["bank_a"].contract)


def test_nobody_speaks_in_anothers_name(room) -> None:
    contract = room["bank_a"].contract
    forged = signed(room, by="bank_a")
    with pytest.raises(NotAuthorised, match="another's name"):
        read(forged, contract)
    with pytest.raises(NotAuthorised):
        read(replace(forged, signer="analyst"), contract)
    with pytest.raises(NotAuthorised):
        read(replace(forged, signer="coordinator"), contract)


def test_one_kind_is_not_taken_for_another(room) -> None:
    failed = Failed(session=new_session(), party="bank_a", code="x", blamed="", message="",
                    remedy="")
    statement = signed(room, failed, by="bank_a")
    with pytest.raises(MessageInvalid):
        read(replace(statement, kind="ruling"), room["bank_a"].contract)


def test_another_form_of_the_same_json_is_refused(room) -> None:
    original = signed(room)
    spaced = original.payload.replace(b'":', b'": ', 1)
    with pytest.raises(MessageInvalid, match="canonical"):
        read(replace(original, payload=spaced), room["bank_a"].contract)


def test_a_request_needs_the_role_and_this_contract(room) -> None:
    contract = room["bank_a"].contract
    with pytest.raises(NotAuthorised, match="result"):
        read_request(signed(room, request(room, recipient="bank_a"), by="bank_a"), contract)
    with pytest.raises(MessageInvalid, match="another version"):
        read_request(signed(room, request(room, contract_hash="1" * 64)), contract)


def test_a_session_is_accepted_once_and_in_time(room) -> None:
    """F84: a clock five minutes off is borne, one that is further off is refused."""
    replays, now = Replays(), 1_000_000.0
    asked = request(room, issued_at=int(now))
    replays.check(asked, now)
    with pytest.raises(RequestReplayed, match="seen"):
        replays.check(asked, now + 299)
    for skew in (-300, 300):
        Replays().check(asked, now + skew)
    for late in (-86_400, -301, 301, 900, 86_400):
        with pytest.raises(RequestReplayed):
            replays.check(asked, now + late)


def test_a_restarted_member_refuses_requests_from_before_it_started(room) -> None:
    started_at = 1_000_000.9
    with pytest.raises(RequestReplayed, match="before"):
        Replays(started_at).check(request(room, issued_at=999_999), started_at)
    Replays(started_at).check(request(room, issued_at=1_000_000), started_at)


def test_a_receipt_must_be_whole_and_about_one_session(room) -> None:
    contract = room["analyst"].contract
    asked = request(room)
    ruling = Ruling(
        session=asked.session,
        contract_hash=asked.contract_hash,
        plan_hash=asked.plan_hash,
        party="bank_a",
        accepted=True,
        violations=(),
    )
    partial = Receipt((signed(room, asked), signed(room, ruling, by="bank_a")))
    with pytest.raises(NotAuthorised, match="lacks"):
        Receipt.from_json(partial.to_json()).verify(contract)
    other = ruling.model_copy(update={"session": new_session()})
    with pytest.raises(MessageInvalid, match="another session"):
        Receipt((signed(room, asked), signed(room, other, by="bank_a"))).verify(contract)
    for text in ("", "{}", partial.to_json().replace("v1", "v2"), partial.to_json()[:-5]):
        with pytest.raises(MessageInvalid):
            Receipt.from_json(text)
