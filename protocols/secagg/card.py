"""The card of `protocols.secagg`."""

from protocols.card import Card, Maturity, Technique

CARD = Card(
    name="secagg",
    title="secure aggregation of vectors",
    technique=Technique.MPC,
    maturity=Maturity.TESTED,
    does="The recipient learns the sum of its owners' vectors, round after round, and nothing "
    "about any one of them; owners who drop out are left out where the job allows it.",
    assumes=(
        "At least three owners; AES-128 and X25519 with HKDF hold, and owners' statements are "
        "signed with the keys that the contract pins.",
    ),
    honest=(
        "The recipient may deviate in any way, together with fewer than n - 1 of n owners where "
        "all must stay; where owners may drop out, with fewer than 2 t - n, t being those that "
        "must stay.",
    ),
    leaks=(
        "To the recipient: each round's sum, exactly.",
        "To all owners and the recipient: who dropped out, and when.",
    ),
    not_covered=(
        "An owner can make a sum wrong by what it adds: nothing proves an update.",
        "Where owners may drop out, a recipient that asks the same twice and claims the second "
        "time that an owner left learns that owner's vector as the difference.",
        "Robust aggregation (Krum, medians, trimmed means) needs single updates and is refused.",
    ),
    endpoint="Secrets of a session live in its processes' memory alone.",
    metadata="The coordinator relays encrypted messages and sees their sizes and times.",
    inference="A sum over few owners, or of many rounds, may tell of single rows.",
    rests_on=("masks",),
    tests=(
        "tests/protocols/secagg/test_any_lies.py"
        "::test_never_both_secrets_of_one_and_never_a_sum_over_too_few",
        "tests/protocols/secagg/test_masks.py::test_masked_zeros_pass_a_chi_square_over_all_bytes",
        "tests/protocols/secagg/test_sums.py::test_too_few_stay",
    ),
    source=("Bonawitz et al., CCS 2017, with the differences that protocols/secagg says",),
)
