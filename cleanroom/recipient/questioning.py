"""The recipient's side of private parameters: weights go out encrypted, totals come back.

Rule: what is sought lives in this object, encrypted under a key of one session, and goes nowhere
else: no statement, log, receipt or error names it.
"""

import secrets
from collections.abc import Sequence

import numpy as np

from cleanroom.engine import Numbers
from cleanroom.plan.ciphertexts import Ciphertexts
from cleanroom.session.contributing import proof_factor, sealed_binding, written
from protocols.he.parameters import parameters_of
from protocols.he.private_filter import Asking
from protocols.he.scheme import CiphertextRefused
from protocols.randomness import KEY_BYTES


class Questioning:
    """Hands out an encrypted question, and decrypts the answers of all owners together."""

    def __init__(self, cells: Ciphertexts, weights: Numbers) -> None:
        if cells.private is None:
            raise ValueError("the plan has no private parameters")
        self._private = cells.private
        coins = secrets.token_bytes(KEY_BYTES)
        self._asking = Asking(weights, cells.private.largest, cells.private.answered, coins)
        self.parameters = parameters_of(cells.parameters)
        question = self._asking.question
        if question.parameters != self.parameters:
            raise ValueError("the plan names other parameters")
        self.id, self.data = question.id, written(question)
        self.n = len(question.masses)

    def opened(
        self, summed: list[bytes], contributors: Sequence[str], binding: str, seal: bytes
    ) -> Numbers:
        """Decrypt the totals, shape (totals of all groups,).

        Raises:
            CiphertextRefused: if they aren't those of all contributors, each once and unchanged.
        """
        found = self._asking.results(summed, contributors, sealed_binding(binding, seal))
        totals, proof = found[: self.n // 2], found[self.n // 2 :]
        factor = proof_factor(self._private.proof, seal)
        if proof != [factor * total for total in totals]:
            raise CiphertextRefused("a total was changed on its way")
        return np.array(totals, dtype=np.int64)
