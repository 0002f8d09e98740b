"""The card of `protocols.merkle`."""

from protocols.card import Card, Maturity, Technique

CARD = Card(
    name="merkle",
    title="Merkle trees, on which logs and commitments rest",
    technique=Technique.NONE,
    maturity=Maturity.TESTED,
    does="One hash stands for a whole list; short proofs show that an entry is in it, and that a "
    "longer list only added to it.",
    assumes=("SHA-256 has no collisions that anybody can find.",),
    honest=(
        "Somebody who keeps an earlier root: without one, a list that was written anew can't be "
        "told from the first.",
    ),
    leaks=("To whoever gets a proof: how many entries there are, and where this one stands.",),
    not_covered=("Whether what an entry says is true.",),
    endpoint="Who holds a list may keep it back; it can't show another one.",
    metadata="The number of entries, and when it grows, is in every root that is handed out.",
    inference="A hash of an entry that few values are possible for can be guessed.",
    tests=(
        "tests/protocols/merkle/test_merkle.py::test_every_published_vector_is_judged_right",
        "tests/protocols/merkle/test_merkle.py::test_no_other_tree_place_or_hash_passes",
    ),
    source=("RFC 6962, section 2.1",),
)
