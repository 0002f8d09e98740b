"""The card of `protocols.he`."""

from protocols.card import Card, Maturity, Technique

CARD = Card(
    name="he",
    title="homomorphic sums under the recipient's key",
    technique=Technique.HE,
    maturity=Maturity.TESTED,
    does="Owners add up their own cells, mask and encrypt them under the recipient's key of one "
    "session (BFV, exact integers); the coordinator adds ciphertexts, the recipient decrypts the "
    "total over all owners once.",
    assumes=(
        "Ring-LWE at 128 bits, with parameters from the table of the Homomorphic Encryption "
        "Security Standard (2018); a peer can only name them.",
        "Owners' masks cancel and hide, see the card 'masks'.",
    ),
    honest=(
        "Owners besides the recipient: the total of one is hidden among those of the others, as "
        "long as these don't help the recipient. The contract says how many there must be "
        "(min_contributors).",
        "Owners and recipient follow the protocol; the coordinator is trusted with nothing but to "
        "answer.",
    ),
    leaks=(
        "To the recipient: the total of every cell, before anybody counted the persons behind it.",
        "To the recipient: of quantiles, MIN, MAX and DISTINCT, the whole histogram behind them.",
        "To the coordinator: that a query runs, and ciphertexts of one size whatever the rows are.",
    ),
    not_covered=(
        "min_group isn't tested: with one above 1 such queries are refused unless all members "
        "signed untested_cells = 'opened'.",
        "Whoever gets the same totals with and without an owner can subtract them.",
        "An owner that encrypts other numbers than its own, within their bounds, isn't found.",
        "An owner that is also the coordinator knows the seal of the sum, and can change totals "
        "unnoticed.",
    ),
    endpoint="The session's secret key lives in the recipient's process alone, is never written, "
    "and decrypts once; whoever controls that process sees totals, never one owner's.",
    metadata="The coordinator sees who takes part in which query and when; all of one query's "
    "ciphertexts have one size.",
    inference="Totals are exact: those of small cells may be about one person.",
    rests_on=("masks",),
    tests=(
        "tests/protocols/he/test_refusals.py::test_known_parameters_reach_128_bits",
        "tests/protocols/he/test_sums.py"
        "::test_the_holder_of_the_key_sees_a_single_contribution_as_uniform_words",
        "tests/protocols/he/test_sums.py::test_totals_that_a_coordinator_shifted_are_refused",
        "tests/protocols/he/test_sums.py::test_a_key_decrypts_once_even_if_it_refused",
    ),
    source=(
        "Albrecht et al., Homomorphic Encryption Security Standard, 2018, table 1",
        "Carter and Wegman, 1981 (the seal of a sum)",
    ),
)
