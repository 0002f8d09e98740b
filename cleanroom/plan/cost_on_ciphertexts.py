"""What a plan costs on ciphertexts: as measured, from its cells alone, however many rows there are.

Each owner encrypts, the coordinator adds, the recipient decrypts; with private parameters the
recipient encrypts a question once, and each owner multiplies all of it for each answer.
"""

from cleanroom.plan.ciphertexts import Ciphertexts
from cleanroom.plan.private import Private
from protocols.he.parameters import parameters_of

CIPHERTEXT_BYTES = 225_000
S_PER_SESSION = 0.02  # on ciphertexts: keys
S_PER_CIPHERTEXT = 0.012  # the coordinator's and the recipient's work
S_PER_OWNERS_CIPHERTEXT = 0.008

ANSWER_BYTES = 131_000  # to a question of private parameters
S_PER_PART = 0.003  # of a question: encrypted once, read by each owner
S_PER_ANSWER = 0.005
S_PER_PRODUCT = 0.001


def on_ciphertexts(cells: Ciphertexts, owners: int) -> tuple[int, float]:
    """Return bytes that each owner sends, and seconds."""
    if cells.private is not None:
        return _of_answers(cells, cells.private, owners)
    n = -(-cells.numbers // (parameters_of(cells.parameters).degree - 1))
    seconds = S_PER_SESSION + n * (S_PER_CIPHERTEXT + owners * S_PER_OWNERS_CIPHERTEXT)
    return n * CIPHERTEXT_BYTES, seconds


def _of_answers(cells: Ciphertexts, private: Private, owners: int) -> tuple[int, float]:
    parts = -(-private.values // parameters_of(cells.parameters).degree)
    answers = len(private.answered)
    answering = parts * S_PER_PART + answers * (S_PER_ANSWER + parts * S_PER_PRODUCT)
    return answers * ANSWER_BYTES, S_PER_SESSION + parts * S_PER_PART + owners * answering
