"""The same queries as a user of TenSEAL writes them: the same plan by hand, and rows one by one."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import tenseal
import tenseal.sealapi

from benchmarks.encrypted.rows import Owner
from protocols.he.contribution import ciphertexts_for
from protocols.he.integers import I64, residues, signed
from protocols.he.masks import add, mask
from protocols.he.parameters import FILTER, SUM, Parameters
from protocols.he.scheme import modulus_of

SLOTS = SUM.degree
_T = modulus_of(SUM)


def sums_by_hand(all_owners: Sequence[Owner], n_groups: int, binding: str) -> I64:
    """Add up the owners' cells with TenSEAL's vectors: local sums, masks, BFV, no checks."""
    context, public = _bfv(SUM)
    size = ciphertexts_for(2 * n_groups, SUM) * SLOTS
    sent = []
    for owner in all_owners:
        theirs = tenseal.context_from(public, n_threads=1)
        words = np.zeros(size, dtype=np.uint64)
        words[: 2 * n_groups] = residues(owner.cells(n_groups), _T)
        words = add(words, mask(owner.name, owner.secrets, binding, size, _T), _T)
        words = signed(words, _T)
        sent.append([_encrypted(theirs, words[at : at + SLOTS]) for at in range(0, size, SLOTS)])
    coordinator = tenseal.context_from(public, n_threads=1)
    found = []
    for place in zip(*sent, strict=True):
        total = tenseal.bfv_vector_from(coordinator, place[0])
        for one in place[1:]:
            total += tenseal.bfv_vector_from(coordinator, one)
        found += tenseal.bfv_vector_from(context, total.serialize()).decrypt()
    return np.array(found[: 2 * n_groups], dtype=np.int64)


def filter_by_hand(selector: I64, histograms: Sequence[I64]) -> int:
    """Count by an encrypted selector: slots times histograms, which the answers then show."""
    context, public = _bfv(FILTER)
    blocks, rest = range(0, selector.size, SLOTS), -selector.size % SLOTS
    selector = np.pad(selector, (0, rest))
    question = [_encrypted(context, selector[at : at + SLOTS]) for at in blocks]
    total = 0
    for histogram in (np.pad(one, (0, rest)) for one in histograms):
        owners = tenseal.context_from(public, n_threads=1)
        answer = None
        for at, data in zip(blocks, question, strict=True):
            part = tenseal.bfv_vector_from(owners, data) * histogram[at : at + SLOTS].tolist()
            answer = part if answer is None else answer + part
        total += sum(tenseal.bfv_vector_from(context, answer.serialize()).decrypt())
    return total


def _bfv(parameters: Parameters) -> tuple[Any, bytes]:
    prime = tenseal.sealapi.PlainModulus.Batching(SLOTS, parameters.plain_bits)
    context = tenseal.context(
        tenseal.SCHEME_TYPE.BFV,
        SLOTS,
        plain_modulus=int(prime.value()),
        coeff_mod_bit_sizes=list(parameters.coefficient_bits),
        n_threads=1,
    )
    kept = {"save_secret_key": False, "save_galois_keys": False, "save_relin_keys": False}
    return context, context.serialize(**kept)


def _encrypted(context: Any, words: I64) -> bytes:
    data: bytes = tenseal.bfv_vector(context, words.tolist()).serialize()
    return data


def total_of_encrypted_rows(frame: pd.DataFrame) -> float:
    """Encrypt every row by CKKS and add up: one SUM over all rows, without groups."""
    context = _ckks()
    values = frame["pence"].to_numpy().astype(np.float64)
    half, total = SLOTS // 2, None
    for at in range(0, values.size, half):
        part = np.pad(values[at : at + half], (0, max(0, at + half - values.size)))
        vector = tenseal.ckks_vector(context, part.tolist())
        total = vector if total is None else total + vector
    return float(sum(total.decrypt()))


def scores_by_hand(features: Any, weights: Sequence[float], intercept: float) -> Any:
    """Score encrypted columns by CKKS; the answer isn't blind: the weights can be read off it."""
    context, half, found = _ckks(), SLOTS // 2, []
    public = tenseal.context_from(context.serialize(save_secret_key=False), n_threads=1)
    for at in range(0, len(features), half):
        block = features[at : at + half]
        sent = [tenseal.ckks_vector(context, column.tolist()).serialize() for column in block.T]
        total = None
        for data, weight in zip(sent, weights, strict=True):
            part = tenseal.ckks_vector_from(public, data) * weight
            total = part if total is None else total + part
        answer = (total + intercept).serialize()
        found += tenseal.ckks_vector_from(context, answer).decrypt()
    return np.array(found)


def _ckks() -> Any:
    context = tenseal.context(
        tenseal.SCHEME_TYPE.CKKS, SLOTS, coeff_mod_bit_sizes=[60, 40, 60], n_threads=1
    )
    context.global_scale = 2**40
    return context
