"""The card of `protocols.rep3`."""

from protocols.card import Card, Maturity, Technique

CARD = Card(
    name="rep3",
    title="three-party replicated secret sharing",
    technique=Technique.MPC,
    maturity=Maturity.TESTED,
    does="Three computing members join, link, group, sort, sum and fit rows of which each holds "
    "two of three shares; what the plan says is opened, to the recipient alone.",
    assumes=(
        "At most one of the three computing members is corrupt, and it follows the protocol "
        "(semi-honest, honest majority).",
        "Channels between them are private and authenticated: TLS 1.3 with the certificates that "
        "the contract pins.",
        "AES-128 and HKDF with SHA-256 are pseudorandom, and each process gets good randomness "
        "from its operating system.",
    ),
    honest=(
        "No two computing members put their shares together: two of them see every row that was "
        "shared and every value in between.",
        "All three compute as agreed: one that deviates on purpose can make a result wrong.",
    ),
    leaks=(
        "To the computing members: the plan, and each owner's number of rows, rounded up to a "
        "power of two.",
        "To all members: whether a join has more rows than its public bound, or a linkage more "
        "records that no key links; the query then fails.",
        "To the computing members: the number of released groups, only with group_count = 'open'.",
    ),
    not_covered=(
        "A computing member that changes its shares before they are opened isn't found; one that "
        "changes what it says at an opening is.",
        "An owner that lies about its own rows isn't found; one that shares inconsistently is.",
        "A member that stops stops the query, which then ends with its name.",
    ),
    endpoint="Whoever controls two computing members' machines has the rows of all owners. An "
    "owner's rows lie in the clear on its own machine, results on the recipient's.",
    metadata="Coordinator and network see who asks what and when, and messages whose sizes follow "
    "from the plan and padded row counts.",
    inference="The result is exact where the release adds no noise: several results about "
    "overlapping groups can tell single persons apart.",
    tests=(
        "tests/cleanroom/execution/test_shares_of_rows.py"
        "::test_one_computing_member_sees_uniform_words",
        "tests/cleanroom/execution/test_oblivious.py::test_other_rows_look_the_same",
        "tests/protocols/test_gates.py::test_a_tampered_opening_names_the_cheat",
        "tests/protocols/test_relations.py::test_an_owner_that_shares_inconsistently_is_found",
    ),
    source=("Araki, Furukawa, Lindell, Nof, Ohara, CCS 2016 (multiplication)",),
)
