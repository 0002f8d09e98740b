"""Errors on the wire: code, party, message and remedy, bounded, and nothing else.

Rule: what a peer reports is text for people. It can name a known kind of error, never a class,
a traceback or more than a few kilobytes.
"""

import grpc

from cleanroom.errors import (
    CleanroomError,
    DeadlineExceeded,
    MessageInvalid,
    NotAuthorised,
    PeerUnavailable,
    SessionCancelled,
    registry,
)
from cleanroom.learning.errors import StepRefused, TrainingImpossible
from cleanroom.transport import room_pb2 as pb

KEY = "cleanroom-fault-bin"
MAX_TEXT = 3000  # characters a field; gRPC's limit on all metadata of a reply is 8 KiB
_CODES = {**registry(), **{kind.code: kind for kind in (StepRefused, TrainingImpossible)}}


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Return `text` cut to `limit`, without characters that could steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text[:limit])


def to_message(error: CleanroomError) -> pb.Fault:
    """Return the error as it crosses the wire."""
    return pb.Fault(
        code=error.code,
        party=clean(error.party, 64),
        message=clean(error.message),
        remedy=clean(error.remedy, 1000),
    )


def to_error(code: str, party: str, message: str, remedy: str) -> CleanroomError:
    """Return the error that a peer reported; an unknown code is an invalid message itself."""
    kind = _CODES.get(code)
    if kind is None:
        return MessageInvalid("a peer reported an error of a kind unknown here", party=party)
    return kind(clean(message), party=clean(party, 64), remedy=clean(remedy, 1000))


def from_message(fault: pb.Fault) -> CleanroomError:
    """Return the error that a message carries."""
    return to_error(fault.code, fault.party, fault.message, fault.remedy)


def trailer(error: CleanroomError) -> tuple[tuple[str, bytes], ...]:
    """Return the trailing metadata that carries the error to the caller."""
    return ((KEY, to_message(error).SerializeToString()),)


def of_call(peer: str, error: grpc.aio.AioRpcError) -> CleanroomError:
    """Return the typed error of a failed call: the peer's own, or what the channel found."""
    for key, value in error.trailing_metadata() or ():
        if key == KEY and isinstance(value, bytes):
            return _reported(peer, value)
    return of_status(peer, error.code(), error.details() or "")


def _reported(peer: str, value: bytes) -> CleanroomError:
    try:
        return from_message(pb.Fault.FromString(value))
    except ValueError:
        return MessageInvalid("the peer's error can't be read", party=peer)


def of_status(peer: str, code: grpc.StatusCode, details: str) -> CleanroomError:
    """Return the typed error for a failure that gRPC itself reports."""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded("the call didn't end in time", party=peer)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return MessageInvalid("a message is larger than allowed", party=peer)
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return MessageInvalid("the peer doesn't offer this call", party=peer)
    if code is grpc.StatusCode.CANCELLED:
        return SessionCancelled("the call was cancelled", party=peer)
    if "CERTIFICATE_VERIFY_FAILED" in details or "Hostname" in details:
        return NotAuthorised("its certificate is not the one the contract pins", party=peer)
    if "Socket closed" in details and "connect" in details:
        hint = "Check that it runs, and that both hold the same version of the contract."
        return PeerUnavailable("it closed the connection at once", party=peer, remedy=hint)
    return PeerUnavailable("it can't be reached, or the connection broke", party=peer)
