"""Cards of what a room tells before anybody asks, and of what it keeps afterwards."""

from protocols.card import Card, Maturity, Technique

PROFILE = Card(
    name="profile",
    title="what owners tell of their rows before anybody asks",
    technique=Technique.SDC,
    maturity=Maturity.TESTED,
    does="Each owner tells a recipient how many rows it has, as a power of two, and how often "
    "values are missing, in steps: as far as the contract lets it, and on min_group persons.",
    assumes=("The contract says what is told of which table; nothing else is.",),
    honest=("Owners, about their own rows.",),
    leaks=(
        "To the recipient: numbers of rows and shares of missing values, roughly.",
        "To the recipient: that something rests on fewer than min_group persons.",
    ),
    not_covered=(
        "Asked again after rows changed, a step may tell that a few came or went: no budget "
        "counts profiles. Under release = 'dp' nothing exact is told.",
    ),
    endpoint="Owners count on their own rows; the recipient gets the steps alone.",
    metadata="All members of the session know that a table's profile was asked for.",
    inference="Rough numbers help to guess which questions single out few persons.",
    tests=(
        "tests/cleanroom/query/test_profile.py::test_too_few_persons_with_null_read_as_none",
        "tests/cleanroom/query/test_profile.py::test_what_an_owner_may_not_tell_is_refused",
    ),
)

LOG = Card(
    name="log",
    title="logs that only grow, and that members hold each other to",
    technique=Technique.NONE,
    maturity=Maturity.TESTED,
    does="Each process logs what it does in a Merkle tree and signs where it stands; others keep "
    "these checkpoints. Owners commit to their rows, in each ruling that they sign.",
    assumes=("Somebody else holds an earlier checkpoint or a receipt.",),
    honest=("Not the log's owner: an edit, another order, a fork or a cut tail is found.",),
    leaks=(
        "To all members and the coordinator: how many records each log has, and when it grew.",
        "To whoever gets an exported log: who asked what when, as hashes, and how it was ruled.",
    ),
    not_covered=(
        "A record that is left out when it happens; what others signed tells then.",
        "A history that nobody else ever saw can be written anew.",
        "That shares or ciphertexts are of the rows that were committed to.",
    ),
    endpoint="Records hold no value, person or text of a question, and lie sealed on the disk.",
    metadata="Times, sizes and members are in every log: it is a record of who did what.",
    inference="Codes of refusals and sizes tell something about rows over time.",
    rests_on=("merkle",),
    tests=(
        "tests/cleanroom/audit/test_verify.py::test_every_change_of_an_exported_log_is_found",
        "tests/cleanroom/audit/test_witness.py::test_an_old_copy_is_found_by_others_and_by_itself",
        "tests/cleanroom/room/test_old_states.py::test_other_rows_need_a_new_epoch",
    ),
)
