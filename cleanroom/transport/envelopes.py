"""Protobuf messages of the room to and from checked values: the edge where bytes are decoded."""

import re
from dataclasses import dataclass
from typing import TypeAlias

from cleanroom.errors import CleanroomError, MessageInvalid
from cleanroom.session.statements import Signed
from cleanroom.transport import faults
from cleanroom.transport import room_pb2 as pb
from cleanroom.transport.call import decode
from protocols.merkle.proofs import MAX_HASHES
from protocols.merkle.tree import HASH_BYTES

_SESSION = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a member is; unsigned, for the eyes of whoever waits."""

    session: str
    member: str
    stage: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """End a session, for this reason."""

    session: str
    fault: CleanroomError


@dataclass(frozen=True, slots=True)
class Shown:
    """A signed checkpoint of somebody's log, as it travels.

    Attributes:
        since, proof: that it goes on from the log of this size; 0 and none if nothing is proven.
        member: towards the coordinator, for whom, or for everybody if empty; from it, of whom.
    """

    checkpoint: Signed
    since: int = 0
    proof: tuple[bytes, ...] = ()
    member: str = ""


Content: TypeAlias = Signed | Progress | Cancel | Shown


@dataclass(frozen=True, slots=True)
class Opening:
    """What a call is about: a session's plan and, when a leaf follows, its place and size.

    To converse, a recipient says by `leaf` with which member, counted from 1; a member says 0.

    The caller names the plan that it accepted. Whoever plays another one under the same session,
    because it was shown another request, refuses the call.
    """

    session: str
    plan_hash: str
    leaf: int = 0
    n: int = 0
    n_words: int = 0

    def to_bytes(self) -> bytes:
        message = pb.Opening(
            session=self.session,
            plan_hash=self.plan_hash,
            leaf=self.leaf,
            n=self.n,
            n_words=self.n_words,
        )
        return message.SerializeToString()

    @classmethod
    def of(cls, message: bytes | None) -> "Opening":
        opening = decode(pb.Opening, message)
        session, plan_hash = _session(opening.session), opening.plan_hash
        if not _HASH.fullmatch(plan_hash):
            raise MessageInvalid("a plan hash is 64 hexadecimal digits")
        return cls(session, plan_hash, opening.leaf, opening.n, opening.n_words)


@dataclass(frozen=True, slots=True)
class OutcomeHeader:
    """The size of an outcome share that follows."""

    n: int
    n_words: int

    def to_bytes(self) -> bytes:
        return pb.Outcome(n=self.n, n_words=self.n_words).SerializeToString()

    @classmethod
    def of(cls, message: bytes | None) -> "OutcomeHeader":
        header = decode(pb.Outcome, message)
        return cls(header.n, header.n_words)


def pack(content: Content) -> bytes:
    """Return the envelope for one message of Attend or Submit."""
    match content:
        case Signed():
            envelope = pb.Envelope(signed=_signed(content))
        case Progress(session, member, stage):
            progress = pb.Progress(session=session, member=member, stage=stage)
            envelope = pb.Envelope(progress=progress)
        case Cancel(session, fault):
            cancel = pb.Cancel(session=session, fault=faults.to_message(fault))
            envelope = pb.Envelope(cancel=cancel)
        case Shown(checkpoint, since, proof, member):
            shown = pb.Shown(
                checkpoint=_signed(checkpoint), since=since, proof=proof, member=member
            )
            envelope = pb.Envelope(shown=shown)
    return envelope.SerializeToString()


def unpack(message: bytes | None) -> Content:
    """Return the message in an envelope.

    Raises:
        MessageInvalid: if it isn't one, or its fields aren't what they must be.
    """
    envelope = decode(pb.Envelope, message)
    match envelope.WhichOneof("content"):
        case "signed":
            return _from_signed(envelope.signed)
        case "progress":
            p = envelope.progress
            session = _session(p.session) if p.session else ""
            return Progress(session, faults.clean(p.member, 64), faults.clean(p.stage, 64))
        case "cancel":
            c = envelope.cancel
            return Cancel(_session(c.session), faults.from_message(c.fault))
        case "shown":
            return _shown(envelope.shown)
        case _:
            raise MessageInvalid("an empty envelope")


def pack_online(members: tuple[str, ...]) -> bytes:
    """Return the reply to Status."""
    return pb.Online(members=members).SerializeToString()


def unpack_online(message: bytes | None) -> tuple[str, ...]:
    """Return who attends, from the reply to Status."""
    return tuple(faults.clean(name, 64) for name in decode(pb.Online, message).members)


def _signed(signed: Signed) -> pb.Signed:
    return pb.Signed(
        kind=signed.kind,
        signer=signed.signer,
        payload=signed.payload,
        signature=signed.signature,
    )


def _from_signed(s: pb.Signed) -> Signed:
    return Signed(faults.clean(s.kind, 32), s.signer, s.payload, s.signature)


def _shown(s: pb.Shown) -> Shown:
    if len(s.proof) > MAX_HASHES or any(len(one) != HASH_BYTES for one in s.proof):
        raise MessageInvalid("a proof is a few hashes")
    return Shown(_from_signed(s.checkpoint), s.since, tuple(s.proof), faults.clean(s.member, 64))


def _session(text: str) -> str:
    if not _SESSION.fullmatch(text):
        raise MessageInvalid("a session id is 32 hexadecimal digits")
    return text
