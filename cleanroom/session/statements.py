"""What members state to each other in writing: requests, rulings, results of a session.

Rule: every statement is canonical JSON under its signer's Ed25519 key. The exact bytes travel
with the signature, so that whoever relays them can neither alter nor re-address them.
"""

import secrets
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanroom.contract import canonical
from cleanroom.contract.document import Contract
from cleanroom.contract.fields import Hash, Name
from cleanroom.contract.terms import Role
from cleanroom.errors import MessageInvalid, NotAuthorised
from cleanroom.identity.identity import Identity
from cleanroom.plan.plan import Protocol
from cleanroom.plan.question import Question
from cleanroom.session.about import Encryption, Profile, Scoring, Template, Training

MAX_BYTES = 512 << 10  # of one statement
_DOMAIN = b"cleanroom statement v1\n"

SessionId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Text = Annotated[str, Field(max_length=4000)]
Count = Annotated[int, Field(ge=0, lt=1 << 62)]
PartRole: TypeAlias = Literal["input", "computing", "scoring", "training", "profile"]


class _Statement(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    kind: ClassVar[str]

    session: SessionId

    @property
    def speaker(self) -> str:
        """The one member that may sign this."""
        raise NotImplementedError


class Request(_Statement):
    """The recipient asks for one run of one plan.

    Attributes:
        sql: the query; in a line what is scored; or a training's job.
        members: who takes part: the owners of leaves and, on shares, the computing members; of a
            scoring the model's owner.
        issued_at: seconds since 1970.
        encryption: None if the plan runs on shares.
        without: members whose parts of federated tables the plan leaves out.
        purpose: for which of the contract's purposes; "" where it names none.
        epsilon: what a noisy query costs; None where answers are exact.
        min_group: of a query, if more than the contract's.
        template: None if the query is of none.
        gate: of the contract, whose text `sql` is; "" for anything else.
        scoring, training, profile: None if the plan is a query's.
        rehearsal: what the plan would run on, where members are only to rule on it; nothing is
            read, charged or computed then.
    """

    kind = "request"
    contract_hash: Hash
    recipient: Name
    sql: Annotated[str, Field(min_length=1, max_length=100_000)]
    plan_hash: Hash
    members: Annotated[tuple[Name, ...], Field(min_length=1, max_length=1000)]
    issued_at: Count
    deadline_s: Annotated[int, Field(ge=1, le=86_400)]
    encryption: Encryption | None = None
    without: Annotated[tuple[Name, ...], Field(max_length=1000)] = ()
    purpose: Annotated[str, Field(max_length=64)] = ""
    min_group: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    template: Template | None = None
    gate: Annotated[str, Field(max_length=64)] = ""
    scoring: Scoring | None = None
    training: Training | None = None
    profile: Profile | None = None
    rehearsal: Protocol | None = None
    epsilon: Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)] | None = None

    @property
    def speaker(self) -> str:
        return self.recipient

    @property
    def on_shares(self) -> bool:
        """Whether the computing members take part."""
        if self.rehearsal is not None:
            return self.rehearsal == "mpc"
        apart = self.scoring, self.training, self.profile
        return self.encryption is None and not any(apart)

    @property
    def protocol(self) -> Protocol:
        return "mpc" if self.on_shares else "he"

    @property
    def question(self) -> Question:
        """What every party compiles for itself, if the plan is a query's."""
        template = None if self.template is None else self.template.use
        asked = self.protocol, self.without, self.purpose, self.epsilon, self.min_group
        return Question(self.sql, self.recipient, *asked, template, self.gate)


class Committed(BaseModel):
    """What an owner committed the rows of one of its tables to.

    Attributes:
        epoch: counts up whenever the owner says openly that its rows are other ones.
        root: of a Merkle tree over the salted rows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    table: Annotated[str, Field(max_length=127)]
    epoch: Count
    root: Hash


class RuledViolation(BaseModel):
    """One way in which the plan breaks the policy.

    Attributes:
        party: the owners whose rows it concerns, or empty.
        rule: the key of the contract, or of a member's own policy, that forbids it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    code: Annotated[str, Field(max_length=64)]
    party: Text
    message: Text
    remedy: Text
    rule: Annotated[str, Field(max_length=500)]


class Ruling(_Statement):
    """A member accepts or refuses a request.

    Attributes:
        exchange: its X25519 key of this session, unless that runs on shares.
        log_size, log_root: where its log stands, with the record of this ruling.
        inputs: its tables that the plan reads, as it has committed to their rows.
    """

    kind = "ruling"
    contract_hash: Hash
    plan_hash: Hash
    party: Name
    accepted: bool
    violations: Annotated[tuple[RuledViolation, ...], Field(max_length=1000)]
    exchange: Hash | None = None
    log_size: Count = 0
    log_root: Hash | None = None
    inputs: Annotated[tuple[Committed, ...], Field(max_length=1000)] = ()

    @property
    def speaker(self) -> str:
        return self.party


class Finished(_Statement):
    """A member has done its part in one role.

    Attributes:
        digest: of the outcome share's size and words, or of the leaves contributed; on
            ciphertexts of the key's id and every ciphertext; of a scoring's every answer; of all
            that a training's recipient and this owner said; of what a profile tells.
    """

    kind = "finished"
    contract_hash: Hash
    plan_hash: Hash
    party: Name
    role: PartRole
    digest: Hash
    rows: Count
    rounds: Count
    bytes_sent: Count
    milliseconds: Count

    @property
    def speaker(self) -> str:
        return self.party


class Failed(_Statement):
    """A member can't go on; nothing more comes from it in this session.

    Attributes:
        blamed: the member responsible, as far as the speaker can tell.
    """

    kind = "failed"
    party: Name
    code: Annotated[str, Field(max_length=64)]
    blamed: Annotated[str, Field(max_length=200)]
    message: Text
    remedy: Text

    @property
    def speaker(self) -> str:
        return self.party


Statement: TypeAlias = Request | Ruling | Finished | Failed
_KINDS: dict[str, type[Statement]] = {s.kind: s for s in (Request, Ruling, Finished, Failed)}


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement as it travels: exact bytes, signer and signature."""

    kind: str
    signer: str
    payload: bytes
    signature: bytes


def new_session() -> str:
    """Return a session id that nobody can guess or repeat."""
    return secrets.token_hex(16)


def sign(identity: Identity, statement: Statement) -> Signed:
    """Put a statement in writing."""
    payload = _canonical(statement)
    signature = identity.sign(_signed_bytes(statement.kind, payload))
    return Signed(statement.kind, identity.name, payload, signature)


def read(signed: Signed, contract: Contract) -> Statement:
    """Return what was stated, once it is certain by whom.

    Raises:
        MessageInvalid: if the bytes aren't exactly one statement of this kind.
        NotAuthorised: if the signer isn't the speaker or the signature isn't its own.
    """
    statement = _decode(signed)
    identity = contract.identities.get(signed.signer)
    if identity is None or signed.signer not in contract.terms.members:
        raise NotAuthorised("the signer is not a member of this contract")
    if statement.speaker != signed.signer:
        raise NotAuthorised("a member speaks in another's name", party=signed.signer)
    identity.verify(_signed_bytes(signed.kind, signed.payload), signed.signature)
    return statement


def read_request(signed: Signed, contract: Contract) -> Request:
    """Return a request that its recipient signed for this contract.

    Raises:
        MessageInvalid, NotAuthorised: as `read`, and if the contract or role differs.
    """
    request = read(signed, contract)
    if not isinstance(request, Request):
        raise MessageInvalid("expected a request")
    if request.contract_hash != contract.hash:
        raise MessageInvalid("the request is for another version of the contract")
    if Role.RESULT not in contract.terms.members[request.recipient].roles:
        raise NotAuthorised("has no role 'result' in the contract", party=request.recipient)
    return request


def session_of(signed: Signed) -> str:
    """Return the session that a statement claims to be about; nothing is verified.

    Raises:
        MessageInvalid: if it isn't a statement.
    """
    return _decode(signed).session


def _decode(signed: Signed) -> Statement:
    kind = _KINDS.get(signed.kind)
    if kind is None or len(signed.payload) > MAX_BYTES:
        raise MessageInvalid("no statement of this kind or size")
    try:
        statement = kind.model_validate_json(signed.payload)
    except ValidationError:
        raise MessageInvalid(f"not a {signed.kind}") from None
    if _canonical(statement) != signed.payload:
        raise MessageInvalid(f"a {signed.kind} in another form than the canonical one")
    return statement


def _canonical(statement: Statement) -> bytes:
    return canonical.compact(statement.model_dump(mode="json"))


def _signed_bytes(kind: str, payload: bytes) -> bytes:
    return _DOMAIN + kind.encode() + b"\n" + payload
