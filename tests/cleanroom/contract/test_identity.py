"""Keys stay private on disk and in memory; public files are refused in any but their one form."""

import base64
import copy
import datetime as dt
import json
import os
import pickle
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from cleanroom.errors import IdentityInvalid, NotAuthorised
from cleanroom.identity import certificate
from cleanroom.identity.identity import Identity, PublicIdentity

_DER = x509.load_pem_x509_certificate(Identity.create("bank_a").certificate).public_bytes(
    serialization.Encoding.DER
)
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def test_a_saved_identity_is_the_same_when_loaded(tmp_path: Path) -> None:
    made = Identity.create("bank_a")
    made.save(tmp_path / "bank_a")
    loaded = Identity.load(tmp_path / "bank_a")
    assert loaded.public == made.public
    assert loaded.tls_key == made.tls_key
    signature = loaded.sign(b"message")
    assert len(signature) == 64
    made.public.verify(b"message", signature)


def test_private_files_are_for_the_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        Identity.create("bank_a").save(tmp_path / "bank_a")
    finally:
        os.umask(old)
    assert (tmp_path / "bank_a").stat().st_mode & 0o777 == 0o700
    for file in ("signing.key", "tls.key"):
        assert (tmp_path / "bank_a" / file).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("file", ["signing.key", "tls.key"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_files_open_to_others_are_refused(tmp_path: Path, file: str, mode: int) -> None:
    Identity.create("bank_a").save(tmp_path / "bank_a")
    (tmp_path / "bank_a" / file).chmod(mode)
    with pytest.raises(IdentityInvalid, match=f"{file} may be read or written by others"):
        Identity.load(tmp_path / "bank_a")


def test_a_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    Identity.create("bank_a").save(tmp_path / "bank_a")
    (tmp_path / "bank_a").chmod(0o755)
    with pytest.raises(IdentityInvalid, match="bank_a is not a folder that its owner alone"):
        Identity.load(tmp_path / "bank_a")


@pytest.mark.parametrize("file", ["signing.key", "tls.key", "identity.json"])
@pytest.mark.parametrize("content", [None, b"", b"garbage\xff", b"x" * 100_000])
def test_missing_and_malformed_files_are_named(
    tmp_path: Path, file: str, content: bytes | None
) -> None:
    Identity.create("bank_a").save(tmp_path / "bank_a")
    path = tmp_path / "bank_a" / file
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(IdentityInvalid, match=file):
        Identity.load(tmp_path / "bank_a")


@pytest.mark.parametrize("file", ["signing.key", "tls.key", "identity.json"])
def test_files_of_two_identities_do_not_mix(tmp_path: Path, file: str) -> None:
    for folder in ("one", "two"):
        Identity.create("bank_a").save(tmp_path / folder)
    (tmp_path / "one" / file).write_bytes((tmp_path / "two" / file).read_bytes())
    with pytest.raises(IdentityInvalid, match=r"doesn't belong to identity\.json"):
        Identity.load(tmp_path / "one")


def test_an_existing_identity_is_not_overwritten(tmp_path: Path) -> None:
    first = Identity.create("bank_a")
    first.save(tmp_path / "bank_a")
    with pytest.raises(IdentityInvalid, match="exists already"):
        Identity.create("bank_a").save(tmp_path / "bank_a")
    assert Identity.load(tmp_path / "bank_a").public == first.public


@pytest.mark.parametrize("now", [LONG_AGO, dt.datetime.now(dt.UTC) + dt.timedelta(days=2)])
def test_an_identity_outside_its_dates_is_not_loaded(tmp_path: Path, now: dt.datetime) -> None:
    Identity.create("bank_a", valid_days=30, now=now).save(tmp_path / "bank_a")
    with pytest.raises(IdentityInvalid, match=r"identity\.json: the certificate is valid from"):
        Identity.load(tmp_path / "bank_a")


@pytest.mark.parametrize("name", ["", "Bank", "1bank", "bank-a", "a" * 64, "bank\n", "../x"])
def test_names_are_the_contract_s(name: str) -> None:
    with pytest.raises(IdentityInvalid, match="name: "):
        Identity.create(name)


@pytest.mark.parametrize("valid_days", [0, -1, 3651])
def test_days_are_bounded(valid_days: int) -> None:
    with pytest.raises(IdentityInvalid, match="valid_days"):
        Identity.create("bank_a", valid_days)


def test_the_certificate_is_what_channels_need() -> None:
    identity = Identity.create("bank_a", valid_days=10)
    made = x509.load_pem_x509_certificate(identity.certificate)
    assert isinstance(made.public_key(), ec.EllipticCurvePublicKey)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["bank_a.cleanroom"]
    left = made.not_valid_after_utc - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=9) < left <= dt.timedelta(days=10)


def test_no_text_or_copy_of_an_identity_holds_its_keys() -> None:
    identity = Identity.create("bank_a")
    body = identity.tls_key.decode().splitlines()[1]
    for shown in (repr(identity), str(identity), repr([identity]), repr(identity.public)):
        assert body not in shown
        assert "PRIVATE" not in shown
        assert "bank_a" in shown
    for refuse in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            refuse(identity)


def test_a_foreign_signature_is_not_authorised() -> None:
    one, two = Identity.create("bank_a"), Identity.create("bank_a")
    for message, signature in (
        (b"m", two.sign(b"m")),
        (b"m", one.sign(b"n")),
        (b"m", b""),
        (b"m", bytes(64)),
        (b"m", one.sign(b"m") + b"\0"),
    ):
        with pytest.raises(NotAuthorised, match="bank_a"):
            one.public.verify(message, signature)


def test_the_fingerprint_covers_every_part() -> None:
    one, two = Identity.create("bank_a").public, Identity.create("bank_a").public
    mixed = [
        PublicIdentity("bank_b", one.signing_key, one.certificate),
        PublicIdentity("bank_a", two.signing_key, one.certificate),
        PublicIdentity("bank_a", one.signing_key, two.certificate),
    ]
    assert len(one.fingerprint.split()) == 6
    assert len({identity.fingerprint for identity in (one, two, *mixed)}) == 5
    assert PublicIdentity.from_json(one.to_json()).fingerprint == one.fingerprint


def test_the_fingerprint_does_not_change_between_releases() -> None:
    known = PublicIdentity("bank_a", bytes(range(32)), b"certificate")
    assert known.fingerprint == "spoil anger label magnet hover sleep"


def _edited(**changes: object) -> str:
    fields = json.loads(Identity.create("bank_a").public.to_json())
    return json.dumps(fields | changes, indent=2) + "\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (_edited(comment="x"), "comment"),
        (_edited(name="bank_b"), "certificate of bank_b: its subject"),
        (_edited(name=7), "name"),
        (_edited(signing_key="AAAA"), "signing_key"),
        (_edited(signing_key="*" * 44), "signing_key"),
        (_edited(certificate="x"), "certificate"),
        (_edited(certificate="x" * 5000), "certificate"),
        (_edited().replace("\n", ""), "edited"),
        (_edited() + " ", "edited"),
        ('{"name": "bank_a"}', "signing_key"),
        ("[" * 10_000, "identity"),
        ("x" * 20_000, "at most"),
        ("\u00e9", "identity"),
    ],
)
def test_only_the_written_form_of_a_public_identity_is_read(text: str, names: str) -> None:
    with pytest.raises(IdentityInvalid, match=names):
        PublicIdentity.from_json(text)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@given(st.integers(min_value=0), st.integers(1, 255))
def test_a_certificate_changed_in_one_byte_is_refused(at: int, change: int) -> None:
    der = bytearray(_DER)
    der[at % len(der)] ^= change
    text = base64.encodebytes(bytes(der)).decode().replace("\n", "")
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    framed = ("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", "")
    with pytest.raises(IdentityInvalid, match="certificate of bank_a"):
        certificate.check("\n".join(framed).encode(), "bank_a")
