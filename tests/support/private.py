"""A query with private parameters, all parties in this process: a room without a network."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ciphertexts import pair_secrets, summed

from cleanroom.execution import cells
from cleanroom.execution.outcome import Opened
from cleanroom.plan.plan import Plan
from cleanroom.query.sought import weights_of
from cleanroom.recipient.questioning import Questioning
from cleanroom.session.contributing import Answers, Bound
from cleanroom.sources.database import Database
from protocols.he.memory import saved
from protocols.he.parameters import Parameters
from protocols.he.scheme import scheme_of

SEAL = b"s" * 32


def run_privately(
    plan: Plan, databases: Mapping[str, Database], given: Mapping[str, Any]
) -> Opened:
    """Ask, let every owner answer, and return what the recipient opens: a room without network."""
    asking = Questioning(plan.ciphertexts, weights_of(plan.ciphertexts.private, given))
    owners = [owner for owner in databases if owner in {leaf.member for leaf in plan.leaves}]
    parts = {
        owner: answers(plan, owner, databases[owner], asking.data, shared)
        for owner, shared in pair_secrets(owners).items()
    }
    found = asking.opened(summed(parts, asking.parameters), owners, plan.hash, SEAL)
    return cells.read(plan, found)


def answers(
    plan: Plan, owner: str, database: Database, question: bytes, secrets: Mapping[str, bytes]
) -> Sequence[bytes]:
    """Return one owner's answers."""
    part = Answers(plan.ciphertexts)
    part.take(question)
    numbers = cells.add_up(plan, owner, database, b"k" * 16)
    return list(part.made(numbers, Bound(owner, secrets, plan.hash, SEAL)))


def shifted(data: bytes, parameters: Parameters, by: int) -> bytes:
    """Return an answer whose total is larger by so much: what whoever adds answers could do."""
    scheme = scheme_of(parameters)
    n, kept = parameters.degree, parameters.kept_primes
    step = by * (scheme.reply_modulus // scheme.modulus)
    residues = np.zeros((2, kept, n), dtype=np.uint64)
    residues[0, :, 0] = [step % prime for prime in scheme.primes[:kept]]
    made = scheme.load(data, scheme.reply_level)
    added = scheme.polynomials(*residues, scheme.reply_level)
    return saved(scheme.sum(made, added))
