"""A secret selector, or secret weights, over a public domain against histograms of several owners.

The asking member encrypts one integer weight for each value of the domain, as coefficients
w_0 + w_1 x + ...; an owner multiplies by h_0 - h_1 x^(n-1) - h_2 x^(n-2) - ..., whose product has
sum_i w_i h_i as its constant coefficient, and answers with that coefficient alone. A domain of
several ciphertexts is added up before the answer: it costs one ciphertext a histogram, whatever
the domain's size.

Rule: the layout of coefficients and who checks what; `blind` says why an answer shows no more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from protocols.he.bfv import KeyUsed, digest, too_noisy
from protocols.he.blind import Blind
from protocols.he.coins import Coins
from protocols.he.integers import (
    I64,
    SumOutOfRange,
    check_cells,
    check_reach,
    reaches,
    residues,
)
from protocols.he.masks import negate, wide_mask, word
from protocols.he.parameters import (
    FILTER,
    FILTER_WIDE,
    LEAST_BUDGET_BITS,
    MAX_CONTRIBUTORS,
    Parameters,
)
from protocols.he.public_coin import NONCE_BYTES, QuestionKey, completed
from protocols.he.scheme import CiphertextRefused, VectorRefused, modulus_of, scheme_of
from protocols.rounds import U64

MAX_VALUES = 1 << 16  # of a domain
MAX_HISTOGRAMS = 64  # of one question


@dataclass(frozen=True)
class Question:
    """What goes to the owners: the domain's size, public bounds, encrypted weights.

    Attributes:
        n: values of the domain.
        masses: for each histogram, the most that its absolute values over all owners add up to.
        nonce: from which the ciphertexts' second halves are expanded.
        parts: the first halves of ciphertexts, of `degree` weights each.
    """

    parameters: Parameters
    n: int
    masses: tuple[int, ...]
    nonce: bytes
    parts: tuple[bytes, ...]

    @cached_property
    def id(self) -> str:
        """Name the question: SHA-256 of all that is in it, in hexadecimal."""
        shape = repr((self.n, self.masses)).encode()
        return digest(self.parameters, (shape, self.nonce, *self.parts))

    def check(self) -> None:
        """Check what can be checked before a ciphertext is read.

        Raises:
            CiphertextRefused: if parameters, domain, histograms and ciphertexts don't fit.
        """
        if self.parameters not in (FILTER, FILTER_WIDE):
            raise CiphertextRefused(f"{self.parameters.name} are no parameters for a filter")
        if not 0 < self.n <= MAX_VALUES or not 0 < len(self.masses) <= MAX_HISTOGRAMS:
            what = f"{self.n} values, {len(self.masses)} histograms"
            raise CiphertextRefused(f"{what}; most are {MAX_VALUES} and {MAX_HISTOGRAMS}")
        if len(self.parts) != -(-self.n // self.parameters.degree):
            raise CiphertextRefused(f"{len(self.parts)} ciphertexts for {self.n} values")
        if len(self.nonce) != NONCE_BYTES:
            raise CiphertextRefused(f"a nonce has {NONCE_BYTES} bytes")
        for mass in self.masses:
            check_reach(mass, self.parameters)


class Asking:
    """The asking member's side of one question: its weights and the key that opens the answer.

    Args:
        weights: shape (n,), one for each value of the domain: 0 and 1 of a selector, or any.
        largest: public bound of every weight's absolute value.
        masses: for each histogram, the most that its absolute values over all owners can add
            up to, from declared bounds.
        coins: 32 fresh random bytes, used once.

    Raises:
        VectorRefused: if the weights aren't a vector of int64, or too many.
        SumOutOfRange: if a weight is above `largest`, or a total could be inexact.

    Cost: 4 ms and 197 kB for 8192 values (`FILTER_WIDE`: 6 ms and 236 kB).
    Security: 128 bits; owners learn the domain, `largest`, and that a question was asked.
    """

    def __init__(self, weights: I64, largest: int, masses: Sequence[int], coins: bytes) -> None:
        if weights.size > MAX_VALUES:
            raise VectorRefused(f"a domain has at most {MAX_VALUES} values")
        check_cells(weights, largest)
        self._reaches = [max(largest, 1) * mass for mass in masses]
        parameters = FILTER if reaches(max(self._reaches, default=0), FILTER) else FILTER_WIDE
        for reach in self._reaches:
            check_reach(reach, parameters)
        own = Coins(coins)
        nonce = own.public("nonce", NONCE_BYTES)
        self._key = QuestionKey(parameters, own)
        self._used = False
        parts = tuple(self._key.encrypt(residues(weights, modulus_of(parameters)), nonce))
        self.question = Question(parameters, weights.size, tuple(masses), nonce, parts)
        self.question.check()

    def results(
        self, sums: Sequence[bytes], contributors: Sequence[str], binding: str
    ) -> list[int]:
        """Decrypt, for each histogram, the weighted sum over all owners.

        Raises:
            KeyUsed: if the answer was opened, or refused, before.
            CiphertextRefused: if an answer is missing, too noisy, not the sum over these
                contributors for this binding, or beyond its reach. A wrong sum passes the noise
                test once in 2^20 times, and then shows a uniform number.
        """
        if len(sums) != len(self._reaches):
            raise CiphertextRefused(f"{len(sums)} answers for {len(self._reaches)} histograms")
        if self._used:
            raise KeyUsed("a question is opened once; ask again under a new key")
        self._used = True
        totals = [
            self._total(data, sum(_check(self.question, binding, name, i) for name in contributors))
            for i, data in enumerate(sums)
        ]
        if any(abs(total) > reach for total, reach in zip(totals, self._reaches, strict=True)):
            raise CiphertextRefused("a total lies beyond its declared reach")
        return totals

    def _total(self, data: bytes, check: int) -> int:
        """Round an answer, less its check word, to the nearest word around 0."""
        scheme = scheme_of(self.question.parameters)
        kept, t = scheme.reply_modulus, scheme.modulus
        phase = self._key.phase(scheme.load(data, scheme.reply_level))
        scaled = t * ((phase - check * kept // scheme.fresh_modulus) % kept)
        total = (scaled + kept // 2) // kept
        if abs(scaled - total * kept) << (LEAST_BUDGET_BITS + 1) >= kept:
            raise too_noisy(f"fewer than {LEAST_BUDGET_BITS} bits")
        return (total + t // 2) % t - t // 2


def answer(
    question: Question,
    histograms: Sequence[I64],
    me: str,
    secrets: Mapping[str, bytes],
    binding: str,
    coins: bytes,
) -> list[bytes]:
    """Return one ciphertext for each of this owner's histograms.

    Args:
        histograms: shape (n,) each: what this owner counts or adds up for each value.
        secrets: other contributor -> 32-byte secret that the two share for this binding alone.
        binding: contract, plan and session.
        coins: 32 fresh random bytes, used once.

    Raises:
        CiphertextRefused: if the question isn't one.
        VectorRefused, SumOutOfRange: if a histogram isn't n integers, or beyond its mass.

    Cost: 1 ms to read 8192 values, 4 ms and 131 kB a histogram (`FILTER_WIDE`: 118 kB).
    Security: semi-honest. The asking member and whoever adds up answers see, together, the sum over
        all contributors of sum_i w_i h_i mod t and nothing else, up to a statistical distance of
        2^-40.9 an answer (`blind.distance_bits`) and Ring-LWE; unless all other contributors
        help them. Weights are any numbers, so a total may pack several cells of a histogram:
        which questions are allowed is for policy to say. A malicious asking member can make up
        the first halves: it learns one linear form of the histograms' sum modulo q behind the
        flooding noise, below 80 bits for each (`FILTER_WIDE`: 90), instead of one modulo t.
    """
    question.check()
    if len(histograms) != len(question.masses) or len(secrets) >= MAX_CONTRIBUTORS:
        raise VectorRefused(f"{len(histograms)} histograms for {len(question.masses)} asked")
    for histogram, mass in zip(histograms, question.masses, strict=True):
        _check_histogram(histogram, question.n, mass)
    scheme = scheme_of(question.parameters)
    parts = [completed(scheme, data, question.nonce, k) for k, data in enumerate(question.parts)]
    blind = Blind(question.parameters, parts, Coins(coins))
    return [
        _answer_one(blind, question, histogram, i, me, secrets, binding)
        for i, histogram in enumerate(histograms)
    ]


def _answer_one(
    blind: Blind,
    question: Question,
    histogram: I64,
    i: int,
    me: str,
    secrets: Mapping[str, bytes],
    binding: str,
) -> bytes:
    parameters, primes = question.parameters, blind.scheme.primes
    total = blind.products(_reflected(histogram, parameters), str(i))
    constant = blind.drop_but_constant(total)
    mask = wide_mask(me, secrets, f"{binding}|{question.id}|{i}", blind.scheme.fresh_modulus)
    flood = blind.coins.flood_one(f"{i}|flood", parameters.flood_bits)
    shift = mask + _check(question, binding, me, i) + flood
    noise = np.zeros((len(primes), parameters.degree), dtype=np.uint64)
    for row, prime in enumerate(primes):
        noise[row, 0] = (constant[row] + shift) % prime
    return blind.sealed(total, noise, str(i))


def _reflected(histogram: I64, parameters: Parameters) -> list[U64]:
    """Return polynomials whose product with weights has the inner product as its constant."""
    n, t = parameters.degree, modulus_of(parameters)
    words = np.zeros(-(-histogram.size // n) * n, dtype=np.uint64)
    words[: histogram.size] = residues(histogram, t)
    blocks = words.reshape(-1, n)
    return [np.concatenate((block[:1], negate(block[:0:-1], t))) for block in blocks]


def _check_histogram(histogram: I64, n: int, mass: int) -> None:
    check_cells(histogram, mass)
    if histogram.size != n:
        raise VectorRefused(f"{histogram.size} cells for {n} values")
    sizes = np.abs(histogram)
    if (int((sizes >> 32).sum()) << 32) + int((sizes & 0xFFFFFFFF).sum()) > mass:
        raise SumOutOfRange(f"a histogram adds up to more than {mass}, its declared bound")


def _check(question: Question, binding: str, sender: str, i: int) -> int:
    modulus = scheme_of(question.parameters).fresh_modulus
    return word(modulus, "check", binding, question.id, sender, i)
