"""What an owner makes of its numbers: ciphertexts to be added up, or answers to a secret question.

Rule: what differs between the two, and no channel. All of it is bound to the session.
"""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol as Interface

import numpy as np

from cleanroom.engine import Numbers
from cleanroom.errors import DataMismatch
from cleanroom.plan.ciphertexts import Ciphertexts
from cleanroom.transport.blobs import divided, joined
from protocols.he.bfv import Encryptor, PublicKey
from protocols.he.contribution import ciphertexts_for, contribute
from protocols.he.integers import SumOutOfRange
from protocols.he.parameters import parameters_of
from protocols.he.private_filter import Question, answer
from protocols.randomness import KEY_BYTES

_PREPARED = 4  # ciphertexts, of some 300 kB each


@dataclass(frozen=True, slots=True)
class Bound:
    """What ties a contribution to its session.

    Attributes:
        secrets: other contributor -> what the two share for this session alone.
        seal: what contributors and recipient share, and the coordinator doesn't know.
    """

    me: str
    secrets: Mapping[str, bytes] = field(repr=False)
    binding: str
    seal: bytes = field(repr=False)


class Part(Interface):
    """An owner's part in one session.

    Attributes:
        takes: what the recipient hands out; n: how many ciphertexts there will be.
    """

    takes: str
    n: int

    @property
    def id(self) -> str:
        """Name what was handed out, by its every byte."""
        ...

    def take(self, data: bytes) -> None:
        """Keep what the recipient hands out."""
        ...

    def prepare(self) -> None:
        """Do what can be done before the numbers are known.

        Raises:
            CiphertextRefused: if what was taken is none.
        """
        ...

    def made(self, numbers: Numbers, bound: Bound) -> Iterator[bytes]:
        """Return the ciphertexts."""
        ...


class Summands:
    """Cells that are masked and encrypted under the recipient's key."""

    takes = "public key"

    def __init__(self, cells: Ciphertexts) -> None:
        self._cells, self._parameters = cells, parameters_of(cells.parameters)
        self.n = ciphertexts_for(cells.numbers, self._parameters)

    @property
    def id(self) -> str:
        return self.key.id

    def take(self, data: bytes) -> None:
        self.key = PublicKey(self._parameters, data)

    def prepare(self) -> None:
        self._encryptor = Encryptor(self.key)
        self._encryptor.prepare(min(self.n, _PREPARED))

    def made(self, numbers: Numbers, bound: Bound) -> Iterator[bytes]:
        reach = self._cells.reach
        return contribute(
            self._encryptor, numbers, reach, bound.me, bound.secrets, bound.binding, bound.seal
        )


class Answers:
    """Totals of cells under weights that the recipient alone can read.

    Each is answered twice: as it is, and times a number that follows from the seal.
    """

    takes = "question"

    def __init__(self, cells: Ciphertexts) -> None:
        if cells.private is None:
            raise ValueError("the plan has no private parameters")
        self._parameters, self._private = parameters_of(cells.parameters), cells.private
        self.n = len(cells.private.answered)

    @property
    def id(self) -> str:
        return self.question.id

    def take(self, data: bytes) -> None:
        n, degree = self._private.values, self._parameters.degree
        nonce, *parts = divided(data, 1 + -(-n // degree))
        masses = self._private.answered
        self.question = Question(self._parameters, n, masses, nonce, tuple(parts))

    def prepare(self) -> None:
        self.question.check()

    def made(self, numbers: Numbers, bound: Bound) -> Iterator[bytes]:
        cells = list(numbers.reshape(-1, self._private.values))
        factor = np.int64(proof_factor(self._private.proof, bound.seal))
        histograms = [*cells, *(cell * factor for cell in cells)]
        binding, coins = sealed_binding(bound.binding, bound.seal), secrets.token_bytes(KEY_BYTES)
        try:
            return iter(
                answer(self.question, histograms, bound.me, bound.secrets, binding, coins)
            )
        except SumOutOfRange:
            what = "its rows add up to more than the declared bounds allow"
            raise DataMismatch(what, party=bound.me) from None


def written(question: Question) -> bytes:
    """Return what is handed out of a question: all but what the plan says of it."""
    return joined((question.nonce, *question.parts))


def sealed_binding(binding: str, seal: bytes) -> str:
    """Return a binding that the coordinator doesn't know."""
    return hashlib.sha256(f"answers|{binding}|".encode() + seal).hexdigest()


def proof_factor(below: int, seal: bytes) -> int:
    """Return the number by which totals are multiplied for the proof, from 0 to `below`."""
    return int.from_bytes(hashlib.sha256(b"proof|" + seal).digest(), "big") % below
