"""That a leaf, an earlier tree or any subtree stands in a tree: short proofs, and judging them.

All are one proof: the leaves from `start` to `end`, as a subtree with a root of its own, are those
of the tree of n leaves. A leaf is the subtree of one; an earlier tree the subtree from 0.
A proof is built and judged by the same descent, so that the two can be compared by eye.
"""

import hmac
from collections.abc import Iterator, Sequence

from protocols.merkle.tree import EMPTY, HASH_BYTES, Node, halves, inner_hash, subtree

MAX_LEAVES = 1 << 62
MAX_HASHES = 64  # of one proof: one a level, and one more


class ProofInvalid(ValueError):
    """The proof doesn't show what it should; nothing is known about what was proven."""


def prove(node: Node, start: int, end: int, n: int) -> list[bytes]:
    """Return the proof that leaves start to end are those of the tree of n leaves.

    Raises:
        ValueError: if they aren't one subtree of it.

    Cost: O(log^2 n) hashes; at most 64 hashes long.
    Security: the hashes tell nothing of leaves that have enough entropy of their own.
    """
    if not is_subtree(start, end, n):
        raise ValueError("no subtree")
    return list(_proof(node, 0, start, end, n, known=True))


def prove_leaf(node: Node, index: int, n: int) -> list[bytes]:
    """Return the inclusion proof of RFC 6962 for one leaf of the tree of n leaves."""
    return prove(node, index, index + 1, n)


def prove_growth(node: Node, earlier: int, n: int) -> list[bytes]:
    """Return the consistency proof of RFC 6962 from the tree of `earlier` leaves to that of n."""
    return prove(node, 0, earlier, n)


def check(start: int, end: int, n: int, part: bytes, whole: bytes, proof: Sequence[bytes]) -> None:
    """Return if a subtree with the root `part` stands from start to end in the tree `whole`.

    Raises:
        ProofInvalid: otherwise, whatever the arguments are.
    """
    if start == end and 0 <= start <= n < MAX_LEAVES:
        if part != EMPTY or proof:
            raise ProofInvalid("not the root of no leaves, or a proof where none is")
        return
    if not is_subtree(start, end, n) or len(proof) > MAX_HASHES:
        raise ProofInvalid("no such subtree, or too long a proof")
    if any(len(one) != HASH_BYTES for one in proof):
        raise ProofInvalid(f"a hash has {HASH_BYTES} bytes")
    rest = iter(proof)
    found_part, found_whole = _roots(rest, start, end, n, part)
    if next(rest, None) is not None:
        raise ProofInvalid("the proof is too long")
    if not (hmac.compare_digest(found_part, part) and hmac.compare_digest(found_whole, whole)):
        raise ProofInvalid("the hashes don't lead to the roots")


def check_leaf(index: int, n: int, leaf: bytes, whole: bytes, proof: Sequence[bytes]) -> None:
    """Return if a leaf's hash stands at this index; raises as `check`."""
    if len(leaf) != HASH_BYTES:
        raise ProofInvalid(f"a hash has {HASH_BYTES} bytes")
    check(index, index + 1, n, leaf, whole, proof)


def check_growth(earlier: int, n: int, before: bytes, now: bytes, proof: Sequence[bytes]) -> None:
    """Return if the tree `now` of n leaves begins with the tree `before`; raises as `check`.

    Every tree begins with the one without leaves: there is nothing to prove, and so no proof.
    """
    if earlier == 0 != n or (earlier == n and before != now):
        raise ProofInvalid("a proof from nothing, or two roots of one size")
    check(0, earlier, n, before, now, proof)


def is_subtree(start: int, end: int, n: int) -> bool:
    """Return whether leaves start to end stand below one node in any larger tree."""
    if not 0 <= start < end <= n < MAX_LEAVES:
        return False
    return start % (1 << (end - start - 1).bit_length()) == 0


def _proof(
    node: Node, offset: int, start: int, end: int, n: int, *, known: bool
) -> Iterator[bytes]:
    """Yield the proof for a part of the n leaves from `offset` on; start and end count from there.

    Args:
        known: whether whoever judges has the root of the part.
    """
    if (start, end) == (0, n):
        if not known:
            yield subtree(node, offset, offset + n)
        return
    middle = halves(n)
    if end <= middle:
        yield from _proof(node, offset, start, end, middle, known=known)
        yield subtree(node, offset + middle, offset + n)
        return
    known = known and start >= middle
    start, end = max(start - middle, 0), end - middle
    yield from _proof(node, offset + middle, start, end, n - middle, known=known)
    yield subtree(node, offset, offset + middle)


def _roots(
    proof: Iterator[bytes], start: int, end: int, n: int, known: bytes | None
) -> tuple[bytes, bytes]:
    """Return the roots of the part and of the n leaves, as the proof has them."""
    if (start, end) == (0, n):
        own = _next(proof) if known is None else known
        return own, own
    middle = halves(n)
    if end <= middle:
        part, left = _roots(proof, start, end, middle, known)
        return part, inner_hash(left, _next(proof))
    if start >= middle:
        part, right = _roots(proof, start - middle, end - middle, n - middle, known)
        return part, inner_hash(_next(proof), right)
    part, right = _roots(proof, 0, end - middle, n - middle, None)
    left = _next(proof)
    return inner_hash(left, part), inner_hash(left, right)


def _next(proof: Iterator[bytes]) -> bytes:
    found = next(proof, None)
    if found is None:
        raise ProofInvalid("the proof is too short")
    return found
