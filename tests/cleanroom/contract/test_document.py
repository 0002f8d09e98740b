"""A contract holds only if every member signed exactly these bytes with the keys in them."""

import base64
import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from cleanroom.contract.columns import ColumnTerms
from cleanroom.contract.document import MAX_BYTES, Contract
from cleanroom.contract.terms import Terms
from cleanroom.errors import ContractInvalid
from cleanroom.identity.identity import Identity, PublicIdentity

Identities: TypeAlias = Mapping[str, Identity]
LONG_AGO = dt.datetime(2020, 1, 2, tzinfo=dt.UTC)


def test_a_saved_contract_is_the_same_when_loaded(tmp_path: Path, signed: Contract) -> None:
    signed.save(tmp_path / "room.contract")
    loaded = Contract.load(tmp_path / "room.contract")
    loaded.check()
    assert loaded == signed
    assert loaded.hash == signed.hash
    assert loaded.terms.computing == ("bank_c", "bank_a", "bank_b")
    assert [path.name for path in tmp_path.iterdir()] == ["room.contract"]


def test_the_hash_covers_terms_and_identities_and_not_signatures(
    draft: Contract, signed: Contract
) -> None:
    other = Contract.draft(draft.terms, {**draft.identities, "analyst": _public("analyst")})
    version = _next_version(draft.terms)
    assert draft.hash == signed.hash
    assert len({draft.hash, other.hash, Contract.draft(version, draft.identities).hash}) == 3


def test_the_hash_does_not_depend_on_the_order_of_identities(draft: Contract) -> None:
    backwards = dict(reversed(list(draft.identities.items())))
    assert Contract.draft(draft.terms, backwards).hash == draft.hash


def test_it_holds_to_the_last_day_and_no_longer(draft: Contract) -> None:
    last = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=10)
    room = draft.terms.room.model_copy(update={"expires": last})
    short = Contract.draft(draft.terms.model_copy(update={"room": room}), draft.identities)
    short.check_draft(last)
    with pytest.raises(ContractInvalid, match=rf"room\.expires: expired on {last}"):
        short.check(last + dt.timedelta(days=1))


@pytest.mark.parametrize("name", ["bank_a", "analyst"])
def test_a_missing_signature_is_named(signed: Contract, name: str) -> None:
    rest = {member: one for member, one in signed.signatures.items() if member != name}
    with pytest.raises(ContractInvalid, match=f"signatures.{name}: .*not signed") as caught:
        replace(signed, signatures=rest).check()
    assert caught.value.party == name


def test_the_coordinator_may_sign(signed: Contract, identities: Identities) -> None:
    signed.signed_by(identities["coordinator"]).check()


def _wrong_signatures(signed: Contract, identities: Identities) -> dict[str, bytes]:
    bank_a = identities["bank_a"]
    return {
        "another member's": signed.signatures["bank_b"],
        "without domain": bank_a.sign(signed.statement),
        "of the hash": bank_a.sign(signed.hash.encode()),
        "empty": b"",
        "zero": bytes(64),
        "longer": signed.signatures["bank_a"] + b"\0",
    }


@pytest.mark.parametrize(
    "which", ["another member's", "without domain", "of the hash", "empty", "zero", "longer"]
)
def test_a_wrong_signature_is_named(signed: Contract, identities: Identities, which: str) -> None:
    wrong = {**signed.signatures, "bank_a": _wrong_signatures(signed, identities)[which]}
    with pytest.raises(ContractInvalid, match=r"signatures\.bank_a: not this member's"):
        replace(signed, signatures=wrong).check()


def test_a_stranger_s_signature_is_refused(signed: Contract) -> None:
    with pytest.raises(ContractInvalid, match=r"signatures\.police: not a member"):
        replace(signed, signatures={**signed.signatures, "police": bytes(64)}).check()


def test_a_signature_of_other_terms_is_refused(signed: Contract) -> None:
    """F69: terms that one member changes after the others signed hold for nobody."""
    changed = replace(signed, terms=_next_version(signed.terms))
    with pytest.raises(ContractInvalid, match=r"signatures\.bank_c"):
        changed.check()


def _forged(
    name: str,
    *,
    subject: str = "",
    dns: str = "",
    curve: ec.EllipticCurve | None = None,
    ed25519_key: bool = False,
    foreign: bool = False,
    root: bool = True,
) -> PublicIdentity:
    """Return an identity whose certificate differs from what `name` needs in one respect."""
    key = ec.generate_private_key(curve or ec.SECP256R1())
    edwards = ed25519.Ed25519PrivateKey.generate()
    signer = ec.generate_private_key(ec.SECP256R1()) if foreign else key
    common = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject or name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder(common, common, serial_number=7)
        .public_key(edwards.public_key() if ed25519_key else key.public_key())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=100))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(dns or f"{name}.cleanroom")]), False
        )
        .add_extension(x509.BasicConstraints(root, 0 if root else None), True)
    )
    made = builder.sign(edwards, None) if ed25519_key else builder.sign(signer, hashes.SHA256())
    pem = made.public_bytes(serialization.Encoding.PEM)
    return PublicIdentity(name, edwards.public_key().public_bytes_raw(), pem)


def _public(name: str, now: dt.datetime | None = None) -> PublicIdentity:
    return Identity.create(name, 300, now=now).public


def _next_version(terms: Terms) -> Terms:
    room = terms.room.model_copy(update={"version": terms.room.version + 1})
    return terms.model_copy(update={"room": room})


FORGERIES: dict[str, tuple[Callable[[], PublicIdentity], str]] = {
    "another's name": (lambda: _public("bank_b"), r"identities\.bank_a\.name: it is 'bank_b'"),
    "subject": (lambda: _forged("bank_a", subject="bank_b"), "certificate.*subject"),
    "alternative name": (lambda: _forged("bank_a", dns="bank_b.cleanroom"), "certificate.*name"),
    "P-384": (lambda: _forged("bank_a", curve=ec.SECP384R1()), "certificate.*P-256"),
    "Ed25519": (lambda: _forged("bank_a", ed25519_key=True), "certificate.*P-256"),
    "not self-signed": (lambda: _forged("bank_a", foreign=True), "certificate.*self-signed"),
    "no root": (lambda: _forged("bank_a", root=False), "certificate.*own root"),
    "expired": (lambda: _public("bank_a", LONG_AGO), "certificate: valid from 2020-01-0"),
    "not yet valid": (
        lambda: _public("bank_a", dt.datetime.now(dt.UTC) + dt.timedelta(days=3)),
        "certificate: valid from",
    ),
    "no certificate": (lambda: PublicIdentity("bank_a", bytes(32), b""), "certificate"),
    "two certificates": (
        lambda: replace(one := _public("bank_a"), certificate=one.certificate * 2),
        "certificate.*canonical",
    ),
    "text around": (
        lambda: replace(one := _public("bank_a"), certificate=b"x\n" + one.certificate),
        "certificate.*canonical",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_an_identity_that_channels_would_not_accept_is_named(
    draft: Contract, forgery: str
) -> None:
    make, named = FORGERIES[forgery]
    forged = Contract.draft(draft.terms, {**draft.identities, "bank_a": make()})
    for check in (forged.check, forged.check_draft):
        with pytest.raises(ContractInvalid, match=named) as caught:
            check()
        assert caught.value.party == "bank_a"


@pytest.mark.parametrize("name", ["bank_a", "analyst", "coordinator"])
def test_a_member_without_identity_is_named(draft: Contract, name: str) -> None:
    rest = {member: one for member, one in draft.identities.items() if member != name}
    with pytest.raises(ContractInvalid, match=f"identities.{name}: missing"):
        Contract.draft(draft.terms, rest).check()


def test_an_identity_of_no_member_is_refused(draft: Contract) -> None:
    more = {**draft.identities, "police": _public("police")}
    with pytest.raises(ContractInvalid, match=r"identities\.police: not a member"):
        Contract.draft(draft.terms, more).check()


def test_two_names_behind_one_signing_key_are_refused(draft: Contract) -> None:
    twin = replace(_public("bank_b"), signing_key=draft.identities["bank_a"].signing_key)
    with pytest.raises(ContractInvalid, match=r"identities\.bank_b\.signing_key: the same"):
        Contract.draft(draft.terms, {**draft.identities, "bank_b": twin}).check()


def test_two_names_behind_one_certificate_are_refused(draft: Contract) -> None:
    twin = replace(_public("bank_b"), certificate=draft.identities["bank_a"].certificate)
    with pytest.raises(ContractInvalid, match=r"identities\.bank_b\.certificate"):
        Contract.draft(draft.terms, {**draft.identities, "bank_b": twin}).check()


def test_only_the_named_identity_may_sign(draft: Contract) -> None:
    for name in ("bank_a", "police"):
        with pytest.raises(ContractInvalid, match=f"identities.{name}: .*doesn't name this"):
            draft.signed_by(Identity.create(name))


def test_signatures_on_copies_come_together(draft: Contract, identities: Identities) -> None:
    merged = draft
    for name in reversed(list(draft.terms.members)):
        merged = draft.signed_by(identities[name]).merged(merged)
    merged.check()
    assert list(merged.signatures) == list(draft.terms.members)


def test_different_contracts_do_not_merge(draft: Contract) -> None:
    other = Contract.draft(_next_version(draft.terms), draft.identities)
    with pytest.raises(ContractInvalid, match="two different contracts"):
        draft.merged(other)


def test_copies_that_differ_in_a_signature_do_not_merge(signed: Contract) -> None:
    other = replace(signed, signatures={"bank_a": bytes(64)})
    with pytest.raises(ContractInvalid, match=r"signatures\.bank_a: the two copies differ"):
        signed.merged(other)


def _edited(content: bytes, edit: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(content)
    edit(document)
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "unknown key": (lambda d: d.update(note="x"), "note: unknown key"),
    "no signatures": (lambda d: d.pop("signatures"), "signatures: missing"),
    "another format": (lambda d: d.update(format="cleanroom contract v2"), "format"),
    "unknown term": (lambda d: d["terms"]["room"].update(note="x"), "room.note: unknown key"),
    "default left out": (lambda d: d["terms"]["privacy"].pop("release"), "edited|form"),
    "number for text": (lambda d: d["terms"]["privacy"].update(epsilon=1.0), "edited"),
    "unknown identity key": (
        lambda d: d["identities"]["bank_a"].update(note="x"),
        "identities.bank_a.note: unknown key",
    ),
    "signature is no base64": (lambda d: d["signatures"].update(bank_a="*"), "bank_a: not base64"),
    "key is too short": (
        lambda d: d["identities"]["bank_a"].update(
            signing_key=base64.b64encode(bytes(31)).decode()
        ),
        "identities.bank_a: signing_key",
    ),
    "order of identities": (
        lambda d: d.update(identities=dict(reversed(d["identities"].items()))),
        "edited",
    ),
}


@pytest.mark.parametrize("which", EDITS)
def test_an_edited_file_is_refused(signed: Contract, which: str) -> None:
    edit, named = EDITS[which]
    with pytest.raises(ContractInvalid, match=named):
        Contract.from_bytes(_edited(signed.to_bytes(), edit))


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"null", b"\xff", b"[" * 100_000, b" " * (MAX_BYTES + 1), b'{"format":1e999}'],
)
def test_what_is_no_contract_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "room.contract").write_bytes(content)
    with pytest.raises(ContractInvalid):
        Contract.load(tmp_path / "room.contract")
    with pytest.raises(ContractInvalid):
        Contract.from_bytes(content)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractInvalid, match=r"cannot read .*none\.contract"):
        Contract.load(tmp_path / "none.contract")


def test_a_contract_that_could_not_be_loaded_is_not_saved(tmp_path: Path, draft: Contract) -> None:
    values = tuple(f"{code:080d}" for code in range(60_000))
    column = ColumnTerms(type="TEXT", values=values)
    table = draft.terms.tables["transactions"]
    wide = table.model_copy(update={"columns": {**table.columns, "code": column}})
    terms = draft.terms.model_copy(update={"tables": {"transactions": wide}})
    with pytest.raises(ContractInvalid, match="more than"):
        Contract.draft(terms, draft.identities).save(tmp_path / "room.contract")
    assert not list(tmp_path.iterdir())


def test_a_second_key_of_the_same_name_is_refused(signed: Contract) -> None:
    twice = signed.to_bytes().replace(b'"version": 1,', b'"version": 2,\n   "version": 1,')
    with pytest.raises(ContractInvalid, match="edited"):
        Contract.from_bytes(twice)


def _refused(content: bytes) -> None:
    with pytest.raises(ContractInvalid):
        Contract.from_bytes(content).check()


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_one_flipped_bit_is_refused_all_over_the_file(signed: Contract) -> None:
    content = signed.to_bytes()
    for at in range(0, len(content), 13):
        _refused(content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :])


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_change_of_one_byte_passes(signed: Contract, data: st.DataObject) -> None:
    content = signed.to_bytes()
    at = data.draw(st.integers(0, len(content)))
    byte = data.draw(st.binary(min_size=1, max_size=1))
    match data.draw(st.sampled_from(["replace", "insert", "delete"])):
        case "replace":
            changed = content[:at] + byte + content[at + 1 :]
        case "insert":
            changed = content[:at] + byte + content[at:]
        case _:
            changed = content[:at] + content[at + 1 :]
    if changed == content:
        Contract.from_bytes(changed).check()
    else:
        _refused(changed)
