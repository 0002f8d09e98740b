"""The card of what flows along payments: propagated scores, and reach."""

from protocols.card import Card, Maturity, Technique

PROPAGATION = Card(
    name="propagation",
    title="scores of own accounts, along payments that nobody else sees",
    technique=Technique.MPC,
    maturity=Maturity.TESTED,
    does="Members share their accounts and the payments to them. On secret shares both are merged "
    "once by source and placed by target, and both secret orders are kept; each round moves "
    "scores, or marks, along the payments. Whoever asks opens one slot for each of its own padded "
    "accounts.",
    assumes=(
        "An account is named alike at all members, and kept by one of them; if two keep one, the "
        "session fails and opens nothing.",
        "A payment is a row at the member that keeps its target; others' rows of it don't count.",
    ),
    honest=(
        "What rep3 asks of the computing members.",
        "Owners, about their own rows: nothing proves that a score or a payment is true. One that "
        "makes up payments to its accounts learns the scores of all payers that it names, and one "
        "that changes its rows and asks again whether money goes round from its accounts through "
        "others', as often as per_day allows.",
        "Owners, about the order of their accounts: if one isn't sorted, all scores are wrong.",
    ),
    leaks=(
        "To all members and the coordinator: whether two members keep one account.",
        "To the computing members: how many accounts and payments each member has, rounded up to "
        "a power of two.",
        "To all members and the coordinator: who asks, over how many rounds, and when.",
    ),
    not_covered=(
        "What a score says: of an account that only one other account with a score paid, after one "
        "round that account's score follows by division.",
        "The room's min_group and rounding, neither of which holds for scores of own accounts.",
        "Members that keep accounts which they don't have, so that the session fails.",
    ),
    endpoint="Scores lie in the clear at the member that keeps the accounts.",
    metadata="Sizes and the number of rounds are all that anybody sees on the wires.",
    inference="A score above what a member's own accounts explain says that risk came from others. "
    "Scores of one round more, subtracted, say how many payments away it started.",
    rests_on=("rep3",),
    tests=(
        "tests/cleanroom/execution/test_propagation.py::test_what_is_sent_depends_on_sizes_alone",
        "tests/cleanroom/query/test_propagation.py::test_scores_are_those_of_the_pooled_payments",
        "tests/cleanroom/policy/test_propagations.py::test_for_whom_it_names_and_nobody_else",
        "tests/cleanroom/execution/test_propagation.py::test_an_account_at_two_banks_opens_nothing",
    ),
    source=("IACR ePrint 2024/065, for what a round of scores is; the protocol is another.",),
)
