"""The card of queries whose every total has noise on it."""

from protocols.card import Card, Maturity, Technique

NOISY = Card(
    name="noisy",
    title="noisy answers to queries, within a total budget",
    technique=Technique.DP,
    maturity=Maturity.TESTED,
    does="Every total of a query gets exact discrete Gaussian noise before it is opened, on shares "
    "or ciphertexts; each owner charges its ledger on disk before anything leaves it.",
    assumes=(
        "A person has at most max_rows_per_person rows at each of owners_per_person owners, and "
        "the column that tables name as the person tells persons apart.",
        "Every owner holds its rows to the declared bounds and to max_rows_per_person.",
    ),
    honest=(
        "All computing members but one, or all owners but one, add their part of the noise and "
        "keep it from the recipient.",
        "What the protocol below asks: of shares 'rep3', of ciphertexts 'he'.",
    ),
    leaks=(
        "To the recipient: how long each member's part took, which has no noise.",
        "To all members: the query's text, and what it cost.",
    ),
    not_covered=(
        "A member that adds too little noise isn't found.",
        "Groups of persons: facts that hold for many are learnt, and are meant to be.",
        "min_group isn't tested: that a group has too few persons would be an exact answer.",
        "Recipients that put their answers together: each has a budget of its own.",
    ),
    endpoint="Exact totals stand nowhere in the clear; noisy ones lie at the recipient.",
    metadata="Who asked what, when, and at which epsilon, is known to all members.",
    inference="All answers about a table to one recipient for one purpose tell of one person no "
    "more than the contract's epsilon and delta.",
    rests_on=("dp",),
    tests=(
        "tests/cleanroom/room/test_noisy_answers.py::test_every_cell_is_opened_with_noise",
        "tests/cleanroom/execution/test_attacks.py"
        "::test_reconstruction_recovers_no_more_than_guessing",
        "tests/cleanroom/execution/test_attacks.py::test_trackers_tell_no_person_apart",
        "tests/protocols/test_own.py::test_what_travels_tells_nothing_of_what_is_added",
        "tests/cleanroom/budget/test_races.py::test_fifty_threads_with_one_ledger_pay_once",
    ),
)
