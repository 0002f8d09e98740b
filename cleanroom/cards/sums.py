"""The card of masks that cancel in the sum of all, on which ciphertexts and trainings rest."""

from protocols.card import Card, Maturity, Technique

MASKS = Card(
    name="masks",
    title="pairwise masks that cancel in the sum of all",
    technique=Technique.MPC,
    maturity=Maturity.TESTED,
    does="Each two owners of a session agree on a secret; one adds what it generates, the other "
    "subtracts it, so a single contribution is uniform and the sum of all is right.",
    assumes=(
        "X25519 with HKDF and AES-128 in counter mode hold; the keys of a session are signed with "
        "those that the contract pins, and bound to contract, session and plan.",
    ),
    honest=("Two owners at least, who don't tell their secrets to whoever sees contributions.",),
    leaks=("Nothing besides the sum of all.",),
    not_covered=(
        "What an owner puts into the sum, unless its bounds refuse it.",
        "An owner that drops out: without its part the masks don't cancel, and nothing is opened "
        "(the card 'secagg' says how trainings go on).",
    ),
    endpoint="Secrets live in the memory of the owners' processes, for one session.",
    metadata="Who takes part is signed, and known to all who take part and to the coordinator.",
    inference="The sum itself may tell, if few contribute to it.",
    tests=(
        "tests/protocols/he/test_sums.py::test_masks_of_all_cancel",
        "tests/protocols/secagg/test_masks.py::test_two_runs_never_share_a_mask",
        "tests/cleanroom/room/test_ciphertexts.py"
        "::test_owners_believe_no_ruling_of_another_session",
    ),
    source=("Bonawitz et al., CCS 2017, section 4.1",),
)
