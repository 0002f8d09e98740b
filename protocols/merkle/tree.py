"""The hashes of a Merkle tree, from its leaves up, and what one more leaf adds.

Rule: hashes and their places. A node stands at (level, index): its hash covers the 2^level leaves
from index * 2^level on. Only nodes whose leaves are all there have a place, so no node changes
when the tree grows; the root of any size follows from them.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

HASH_BYTES = 32
EMPTY = hashlib.sha256().digest()  # the root of a tree without leaves

Node: TypeAlias = Callable[[int, int], bytes]  # the hash at (level, index)


def leaf_hash(content: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def inner_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two nodes; no leaf has the same."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def halves(n: int) -> int:
    """Return how many of n > 1 leaves stand left: the largest power of two below n."""
    return 1 << (n - 1).bit_length() - 1


def grown(node: Node, n: int, leaf: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (level, index, hash) of every node that one more leaf completes, the leaf first.

    Args:
        node: of the tree of n leaves.
        leaf: the new leaf's hash.

    Cost: two hashes a leaf on average; at most log2(n) reads.
    """
    level, index, current = 0, n, leaf
    yield level, index, current
    while index & 1:
        current = inner_hash(node(level, index - 1), current)
        level, index = level + 1, index >> 1
        yield level, index, current


def root(node: Node, n: int) -> bytes:
    """Return the root of the first n leaves. Cost: log2(n) hashes and reads."""
    return subtree(node, 0, n)


def subtree(node: Node, start: int, end: int) -> bytes:
    """Return the root of leaves start to end alone, as a subtree of theirs stands in the tree."""
    n = end - start
    if n == 0:
        return EMPTY
    if n & (n - 1) == 0:
        return node(n.bit_length() - 1, start // n)
    middle = start + halves(n)
    return inner_hash(subtree(node, start, middle), subtree(node, middle, end))


def levels(leaves: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Return all nodes of a tree, level by level, the leaves' hashes first.

    Cost: n hashes, about 0.6 s for a million leaves.
    """
    sha256 = hashlib.sha256
    found: list[Sequence[bytes]] = [leaves]
    while len(below := found[-1]) > 1:
        pairs = zip(below[0::2], below[1::2], strict=False)
        found.append([sha256(b"\x01" + left + right).digest() for left, right in pairs])
    return found


def in_memory(leaves: Sequence[bytes]) -> Node:
    """Return the nodes of the tree of these leaves' hashes."""
    found = levels(leaves)
    return lambda level, index: found[level][index]
