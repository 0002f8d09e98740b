"""The receipt of a query: every signed statement of its session, to keep and to verify later."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleanroom.contract.document import Contract
from cleanroom.errors import MessageInvalid, NotAuthorised
from cleanroom.session.statements import (
    Committed,
    Finished,
    Request,
    Ruling,
    Signed,
    Statement,
    read,
)
from cleanroom.session.written import Written

MAX_BYTES = 64 << 20


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    format: Literal["cleanroom receipt v1"]
    statements: Annotated[tuple[Written, ...], Field(max_length=10_000)]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What all members of a session have signed: request, rulings and what each did."""

    statements: tuple[Signed, ...]

    def verify(self, contract: Contract) -> tuple[Statement, ...]:
        """Return the statements if they prove one whole session under this contract.

        Raises:
            NotAuthorised: if a signature isn't the named member's, or a member's part is missing.
            MessageInvalid: if the statements aren't about one session, contract and plan.
        """
        statements = tuple(read(signed, contract) for signed in self.statements)
        requests = [s for s in statements if isinstance(s, Request)]
        if len(requests) != 1 or requests[0].contract_hash != contract.hash:
            raise MessageInvalid("a receipt holds one request, under this contract")
        request = requests[0]
        for statement in statements:
            _check_subject(statement, request)
        _check_complete(statements, request, contract)
        return statements

    def to_json(self) -> str:
        """Return the one text that stands for this receipt."""
        entries = [Written.of(signed).model_dump() for signed in self.statements]
        return json.dumps({"format": "cleanroom receipt v1", "statements": entries}, indent=1)

    def inputs(self, contract: Contract) -> dict[tuple[str, str], Committed]:
        """Return what owners committed their rows to, by owner and table; raises as `verify`."""
        rulings = [one for one in self.verify(contract) if isinstance(one, Ruling)]
        return {(ruling.party, one.table): one for ruling in rulings for one in ruling.inputs}

    @property
    def digest(self) -> str:
        """SHA-256 of that text: what logs say of a receipt."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote; `verify` is left to the caller.

        Raises:
            MessageInvalid: if it isn't a receipt.
        """
        if len(text) > MAX_BYTES:
            raise MessageInvalid("a receipt is larger than allowed")
        try:
            file = _File.model_validate_json(text)
            return cls(tuple(entry.signed for entry in file.statements))
        except ValidationError:
            raise MessageInvalid("not a receipt") from None


def _check_subject(statement: Statement, request: Request) -> None:
    same = statement.session == request.session
    if isinstance(statement, Ruling | Finished):
        same = same and statement.contract_hash == request.contract_hash
        same = same and statement.plan_hash == request.plan_hash
    if not same:
        raise MessageInvalid("a statement is about another session, contract or plan")


def _check_complete(
    statements: Sequence[Statement], request: Request, contract: Contract
) -> None:
    accepted = {s.party for s in statements if isinstance(s, Ruling) and s.accepted}
    done = {(s.party, s.role) for s in statements if isinstance(s, Finished)}
    computing = {(name, "computing") for name in contract.terms.computing if request.on_shares}
    left = _may_have_left(request, {name for name, _ in done})
    for name in request.members:
        part_done = any((name, role) in done for role in _roles(request)) or name in left
        if name not in accepted or not part_done:
            raise NotAuthorised("the receipt lacks its ruling or its report", party=name)
    for name, _ in computing - done:
        raise NotAuthorised("the receipt lacks its report", party=name)


def _roles(request: Request) -> tuple[str, ...]:
    """Return in which role a member of a session may have done its part."""
    if request.scoring is not None:
        return ("scoring",)
    if request.profile is not None:
        return ("profile",)
    return ("training",) if request.training is not None else ("computing", "input")


def _may_have_left(request: Request, done: set[str]) -> set[str]:
    """Return who left on the way, if so many stayed that the session went on without them."""
    if request.training is None or len(done) < request.training.least:
        return set()
    return set(request.members) - done
