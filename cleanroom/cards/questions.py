"""Cards of what queries may ask for, beside plain totals."""

from protocols.card import Card, Maturity, Technique

PRIVATE = Card(
    name="private",
    title="private parameters: what an analyst looks for, hidden from the owners",
    technique=Technique.HE,
    maturity=Maturity.TESTED,
    does="The recipient encrypts a weight for each value that a column may have; owners multiply "
    "them by their own totals and answer with one masked, flooded number for each total.",
    assumes=("Ring-LWE at 128 bits, with a public second half that the recipient can't choose.",),
    honest=(
        "The recipient: owners can't see which weights are encrypted, so one that cheats gets "
        "another combination of the values' totals, of as many bits as the sheet says.",
        "Owners and coordinator: by cheating they may learn one bit, whether the query fails.",
    ),
    leaks=(
        "To owners and coordinator: the column, and that something is sought; not what, nor how "
        "many values.",
        "To the recipient: besides each total at most a statistical distance of 2^-40 an answer.",
    ),
    not_covered=(
        "min_group can't be tested; with one above 1 all members have to sign untested_cells = "
        "'opened'.",
        "A total that the coordinator changes is found, but for one case in a million or in as "
        "many as the sheet says.",
    ),
    endpoint="What is sought lies in the recipient's process, and in the file or prompt it came "
    "from.",
    metadata="When somebody asks, and over which column, is visible to the owners.",
    inference="A weighted total may hold those of several values side by side; whoever may ask "
    "much learns the column's histogram.",
    rests_on=("he", "masks"),
    tests=(
        "tests/protocols/he/test_blind.py"
        "::test_answers_tell_no_more_than_their_result_but_for_2_to_the_minus_40",
        "tests/cleanroom/execution/test_private_on_ciphertexts.py"
        "::test_the_size_of_a_question_tells_nothing",
        "tests/cleanroom/room/test_private_in_a_room.py"
        "::test_no_value_is_in_the_plan_the_receipt_or_the_logs",
    ),
    source=("Gentry, STOC 2009 (noise flooding)",),
)

SCORING = Card(
    name="scoring",
    title="own rows scored under another member's model",
    technique=Technique.HE,
    maturity=Maturity.TESTED,
    does="A member encrypts its rows under its own key; the model's owner weighs and adds up the "
    "columns on ciphertexts; only the rows' owner reads the scores.",
    assumes=("Ring-LWE at 128 bits; noise that floods each answer to within 2^-40.",),
    honest=(
        "The rows' owner: n + 1 scores of rows that it may choose determine a linear model of n "
        "features. Name under `scores` only whom the model's owner would trust with that.",
        "Both follow the protocol: nothing proves that what is encrypted are the table's rows, or "
        "that scores are the model's.",
    ),
    leaks=(
        "To the model's owner and the coordinator: that a table is scored, and how many rows.",
        "To the rows' owner: the linear scores exactly, also of a logistic model.",
    ),
    not_covered=(
        "The model, against whoever may have enough rows scored; a day's limit slows it.",
    ),
    endpoint="Rows and weights lie in the clear at their own owners.",
    metadata="Sizes of messages follow from the number of rows and columns.",
    inference="Scores tell of the model, and of rows to whoever else gets to see the scores.",
    rests_on=("he",),
    tests=(
        "tests/protocols/he/test_score.py::test_a_model_is_not_shown",
        "tests/protocols/he/test_score.py::test_rows_that_were_not_stated_are_not_scored",
        "tests/cleanroom/room/test_scoring.py"
        "::test_rows_of_a_day_are_counted_whatever_becomes_of_the_process",
    ),
)

SDC = Card(
    name="sdc",
    title="disclosure rules on released cells",
    technique=Technique.SDC,
    maturity=Maturity.TESTED,
    does="On secret shares a cell is opened only if min_group distinct persons stand behind it "
    "and behind each of its values; sums that few contributors dominate are withheld, further "
    "groups where totals would tell one that is, and counts redacted and rounded there, too, as "
    "the contract says.",
    assumes=(
        "The column that each table names as the person tells persons apart, the same way at "
        "every owner.",
    ),
    honest=("What rep3 asks of the computing members.",),
    leaks=("To the recipient: how many groups were withheld, which is itself an answer.",),
    not_covered=(
        "Reconstruction from many overlapping questions: thresholds alone don't stop it, a "
        "privacy budget (release = 'dp') does.",
        "An owner that also receives results may choose its own rows so that a join singles out "
        "others' persons: give the role 'result' to members that own nothing.",
        "Ciphertexts and trainings, where persons behind a sum can't be counted.",
        "Who knows which groups can't exist, or which follow from each other, knows more of those "
        "that are withheld than totals tell.",
    ),
    endpoint="Groups are tested before anything is opened; the recipient never holds a withheld "
    "one.",
    metadata="What was asked is known to all members, even where groups were withheld.",
    inference="Released numbers are about groups of min_group persons or more, each of which "
    "knows its own part.",
    rests_on=("rep3",),
    tests=(
        "tests/cleanroom/query/test_min_group.py::test_only_large_groups_pass",
        "tests/cleanroom/query/test_min_group.py"
        "::test_a_value_behind_which_few_persons_stand_isn_t_opened",
        "tests/protocols/test_complementary.py"
        "::test_no_withheld_cell_is_bounded_closer_than_the_smallest_group",
        "tests/cleanroom/query/test_dominance.py"
        "::test_one_bank_s_rows_may_not_be_nearly_all_of_a_sum",
        "tests/protocols/test_complementary.py"
        "::test_no_withheld_cell_is_bounded_closer_than_the_smallest_group",
        "tests/cleanroom/query/test_rounded_counts.py::test_every_count_of_a_group_is_rounded",
        "tests/cleanroom/room/test_local_room.py"
        "::test_groups_of_too_few_persons_are_counted_and_not_opened",
    ),
)

GATES = Card(
    name="gates",
    title="rows that open where a secret condition holds",
    technique=Technique.MPC,
    maturity=Maturity.TESTED,
    does="All members sign a query with the contract. On secret shares its condition is computed "
    "for every row; after an oblivious shuffle only max_rows slots are handed out, filled with "
    "matching rows or zeros, to a recipient that the gate names, or to an owner for its own part.",
    assumes=("Columns that tie rows of different owners together mean the same at all of them.",),
    honest=(
        "What rep3 asks of the computing members.",
        "Owners, about their own rows: nothing proves that a row is true. One that adds rows and "
        "asks again for its own part learns whether they match, as often as per_day allows.",
    ),
    leaks=(
        "To the recipient: whether more than max_rows rows match.",
        "To all members: whether a gate failed because a member has more rows that its conditions "
        "leave than max_chosen, or a join more than max_joined.",
        "To all members and the coordinator: who asks which gate, and when.",
    ),
    not_covered=(
        "What the text that all signed opens: read the gate before you sign.",
        "The room's min_group, rounding and epsilon, none of which holds for what a gate opens.",
    ),
    endpoint="Matching rows lie in the clear at whoever they opened to.",
    metadata="Sizes follow from the contract alone: from tables' and the gate's max_rows, and "
    "from the gate's max_chosen and max_joined.",
    inference="A row that isn't opened didn't match, as far as max_rows reaches; who knows that a "
    "person is in a table may conclude from that.",
    rests_on=("rep3",),
    tests=(
        "tests/cleanroom/execution/test_gates.py::test_nothing_tells_how_many_match",
        "tests/cleanroom/query/test_gates.py::test_an_owner_gets_what_its_own_rows_are_part_of",
        "tests/cleanroom/policy/test_gates.py::test_in_no_other_text_or_size",
        "tests/cleanroom/execution/test_gates.py"
        "::test_an_owner_cannot_pass_its_rows_off_as_anothers",
    ),
)
