"""Merkle trees: the published vectors, and every proof of small trees against their definition."""

import base64
import json
import lzma
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.merkle import proofs, tree

VECTORS = Path(__file__).with_name("vectors.jsonl.xz")
N = 21


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _judge(vector: Mapping[str, Any]) -> None:
    def hashes(*names: str) -> list[bytes]:
        return [_bytes(vector[name]) for name in names]

    proof = [_bytes(one) for one in vector["proof"] or []]
    match vector["kind"]:
        case "inclusion":
            place = vector["leafIdx"], vector["treeSize"]
            proofs.check_leaf(*place, *hashes("leafHash", "root"), proof)
        case "consistency":
            proofs.check_growth(vector["size1"], vector["size2"], *hashes("root1", "root2"), proof)
        case "subtreeinclusion":
            start, end = vector["start"], vector["end"]
            if not proofs.is_subtree(start, end, end):
                raise proofs.ProofInvalid("no subtree")
            place = vector["leafIdx"] - start, end - start
            proofs.check_leaf(*place, *hashes("leafHash", "root"), proof)
        case "subtreeconsistency":
            place = vector["start"], vector["end"], vector["size"]
            proofs.check(*place, *hashes("root1", "root2"), proof)


def test_every_published_vector_is_judged_right() -> None:
    vectors = [json.loads(line) for line in lzma.decompress(VECTORS.read_bytes()).splitlines()]
    wrong = []
    for vector in vectors:
        try:
            _judge(vector)
            refused = False
        except proofs.ProofInvalid:
            refused = True
        if refused != vector["wantErr"]:
            wrong.append(vector["desc"])
    assert (len(vectors), wrong) == (518, [])


def _defined(leaves: list[bytes]) -> bytes:
    """The definition of the hash, as the standard writes it."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else tree.EMPTY
    k = tree.halves(len(leaves))
    return tree.inner_hash(_defined(leaves[:k]), _defined(leaves[k:]))


LEAVES = [tree.leaf_hash(b"%d" % i) for i in range(N)]


def _grown() -> Callable[[int, int], bytes]:
    nodes: dict[tuple[int, int], bytes] = {}
    for i, leaf in enumerate(LEAVES):
        for level, index, content in tree.grown(lambda *at: nodes[at], i, leaf):
            nodes[level, index] = content
    return lambda level, index: nodes[level, index]


@pytest.mark.parametrize("n", range(N + 1))
def test_roots_and_proofs_of_every_size_are_the_defined_ones(n: int) -> None:
    whole, node = tree.in_memory(LEAVES), _grown()
    now = tree.root(node, n)
    assert now == _defined(LEAVES[:n]) == tree.root(whole, n)
    for i in range(n):
        proofs.check_leaf(i, n, LEAVES[i], now, proofs.prove_leaf(node, i, n))
        if i:
            before = tree.root(node, i)
            proofs.check_growth(i, n, before, now, proofs.prove_growth(node, i, n))


@given(st.data())
def test_no_other_tree_place_or_hash_passes(data: st.DataObject) -> None:
    node = tree.in_memory(LEAVES)
    n = data.draw(st.integers(2, N))
    earlier = data.draw(st.integers(1, n - 1))
    proof = proofs.prove_growth(node, earlier, n)
    before, now = tree.root(node, earlier), tree.root(node, n)
    at = data.draw(st.integers(0, len(proof) + 1))
    hashes = [before, now, *proof]
    hashes[at] = bytes([hashes[at][0] ^ 1]) + hashes[at][1:]
    with pytest.raises(proofs.ProofInvalid):
        proofs.check_growth(earlier, n, hashes[0], hashes[1], hashes[2:])
    other = data.draw(st.integers(0, N).filter(lambda size: size != n))
    with pytest.raises(proofs.ProofInvalid):
        proofs.check_growth(earlier, other, before, tree.root(node, other), proof)
