"""The card of linkages: which rows of two owners are of one person."""

from protocols.card import Card, Maturity, Technique

LINKAGE = Card(
    name="linkage",
    title="persons of two owners linked, whom nobody sees linked",
    technique=Technique.MPC,
    maturity=Maturity.TESTED,
    does="Owners clean names, dates and numbers, and share hashes of composite keys. On secret "
    "shares one key after another links rows that are the only ones of either side with it; what "
    "is left is compared pair by pair, or with its neighbours in a block, and best partners above "
    "a threshold are linked. Queries join through these pairs, which stay shared.",
    assumes=(
        "Both owners clean by the same rules; the contract has their version.",
        "Different keys have different hashes: two of n and m keys share one of 64 bits with a "
        "probability below n m / 2^64 a rung.",
    ),
    honest=(
        "What rep3 asks of the computing members.",
        "Owners, about their own rows: one that also receives results may add made-up persons and "
        "learn from counts whether they are linked.",
    ),
    leaks=(
        "To the computing members: how many persons each owner has, rounded up to a power of two.",
        "To all members, where rows are compared: whether more than max_left of a side are left; "
        "the query then fails.",
    ),
    not_covered=(
        "Wrong and missing links: results are of the pairs that were found, and more are missing "
        "among people whose names are often misspelt or change.",
        "Persons with rows at two owners in a query that names no linkage: nothing tells that they "
        "are one, and they count once for each number.",
        "With a block, pairs of different blocks are not compared, and of a crowded one no pairs "
        "further apart than the window.",
        "Hashes hide nothing by themselves, as every member knows the session's key: keys are "
        "hidden because they leave their owner as shares alone.",
    ),
    endpoint="Clean values lie beside the rows that they are made of, in their owner's process.",
    metadata="Which linkage a query uses is in its text, which all members see.",
    inference="Counts by rung and subgroup tell how well records of a group fit each other; they "
    "are released as any others, and no pair ever is but by a query that opens both its persons. "
    "A group's largest or smallest rung, which takes no right, is one person's.",
    rests_on=("rep3",),
    tests=(
        "tests/cleanroom/execution/test_linkages.py::test_pairs_are_a_table",
        "tests/cleanroom/execution/test_linkages.py"
        "::test_letters_order_and_swaps_do_not_matter_but_doubles_and_gaps_do",
        "tests/cleanroom/execution/test_linkages.py::test_what_is_near_in_a_block_is_compared",
        "tests/cleanroom/policy/test_linkages.py::test_a_linkage_is_for_those_whom_it_names",
        "tests/cleanroom/policy/test_linkages.py::test_constants_meet_no_person_of_either_side",
        "tests/cleanroom/room/test_linkages.py"
        "::test_a_linkage_tells_how_well_it_links_and_not_whom",
    ),
    source=("Fellegi, Sunter, JASA 1969, for sums of weights; the ladder is plain equality.",),
)
