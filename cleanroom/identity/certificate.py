"""The certificate a member shows on its channels: P-256, self-signed, its own and only root.

Rule: X.509 and nothing else. Nobody's authority stands behind a certificate: peers pin its bytes
through the signed contract. P-256, because gRPC refuses Ed25519 certificates.
"""

import datetime as dt

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cleanroom.errors import IdentityInvalid

VALID_DAYS = 730
MAX_BYTES = 4096
_CLOCK_SKEW = dt.timedelta(minutes=5)
_MALFORMED = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.UnsupportedGeneralNameType,
)


def dns_name(name: str) -> str:
    """Return the DNS name that a member's certificate carries and its peers ask for."""
    return f"{name}.cleanroom"


def issue(name: str, valid_days: int, now: dt.datetime) -> tuple[bytes, bytes]:
    """Make a fresh P-256 key and its self-signed certificate; return both as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + dt.timedelta(days=valid_days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(dns_name(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)


def check(pem: bytes, name: str) -> x509.Certificate:
    """Parse a certificate and demand that it is one that `issue` makes for `name`.

    Its dates are the caller's to judge.

    Raises:
        IdentityInvalid: naming what doesn't hold.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        fault = _fault(certificate, pem, name)
    except _MALFORMED:
        fault = "it is not a well-formed self-signed X.509 certificate"
    if fault:
        raise IdentityInvalid(f"certificate of {name}: {fault}")
    return certificate


def public_key(certificate: x509.Certificate) -> bytes:
    """Return the certificate's public key as DER, for comparing."""
    return certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _fault(certificate: x509.Certificate, pem: bytes, name: str) -> str:
    """Return what is wrong, or nothing; malformed fields raise one of _MALFORMED."""
    if certificate.public_bytes(serialization.Encoding.PEM) != pem:
        return "it is not one PEM block in canonical form"
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        return "its key is not a P-256 key"
    if certificate.subject != x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]):
        return "its subject is not the member's name"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    if list(names) != [x509.DNSName(dns_name(name))]:
        return f"its alternative name is not {dns_name(name)}"
    basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    if not basic.ca or basic.path_length != 0:
        return "it can't serve as its own root"
    certificate.verify_directly_issued_by(certificate)
    return ""
