"""A card for each kind of model that can be trained: what all share, and what sets each apart."""

from collections.abc import Iterator

from cleanroom.learning.opens import OPENS
from protocols.card import Card, Maturity, Technique

_POOLED = "the fit is that of the pooled rows"
_EXACT = {
    "linear": ("linear regression", _POOLED),
    "logistic": ("logistic regression", _POOLED),
    "poisson": ("Poisson regression", _POOLED),
    "cox": ("Cox regression", _POOLED),
    "gbdt": ("gradient boosted trees", "the trees are those of the pooled rows"),
    "network": ("small neural networks", "owners' updates are averaged by rows"),
    "pca": ("principal components", "the components are those of the pooled rows"),
    "kmeans": ("clusters", "the clusters are those of the pooled rows"),
}
_TESTS = {
    "linear": "test_regressions.py::test_a_linear_regression_is_the_pooled_one",
    "logistic": "test_regressions.py::test_a_logistic_regression_is_the_pooled_one",
    "poisson": "test_regressions.py::test_a_poisson_regression_is_the_pooled_one",
    "cox": "test_cox.py::test_a_cox_regression_is_the_pooled_one",
    "gbdt": "test_trees.py::test_trees_are_those_of_the_pooled_rows",
    "network": "test_networks.py::test_updates_are_no_longer_than_declared",
    "pca": "test_components_and_clusters.py::test_components_are_those_of_pooled_rows",
    "kmeans": "test_components_and_clusters.py::test_clusters_are_those_of_pooled_rows",
    "private_linear": "test_private_regressions.py::test_a_linear_regression_needs_one_sum",
    "private_logistic": "test_private_regressions.py"
    "::test_members_are_told_by_their_loss_only_without_noise",
    "private_poisson": "test_private_regressions.py::test_a_poisson_regression_finds_rates",
    "private_network": "test_private_networks.py::test_a_network_learns_under_noise_and_travels",
}
_PRIVATE = {
    "private_linear": "linear regression under differential privacy",
    "private_logistic": "logistic regression under differential privacy",
    "private_poisson": "Poisson regression under differential privacy",
    "private_network": "small neural networks under differential privacy",
}
_JOINED = {
    "joined_linear": "linear regression on rows that owners join",
    "joined_logistic": "logistic regression on rows that owners join",
}
_OWN_ROWS = (
    "Owners may lie about their own rows: nothing proves an update.",
    "An owner that leaves ends the training, unless the job says min_owners.",
)
_STEPS = (
    "Every owner compiles the job for itself and answers this kind's steps alone, as many as the "
    "plan says."
)
_TOLD = (
    "To all owners and the recipient: the model after each step, who leaves, and by which check "
    "an owner refuses.",
)
_ENDPOINT = "Rows stay at their owners; the model and every step's sum lie at the recipient."
_METADATA = "The coordinator sees that a training runs, sizes and times of messages, who leaves."


def cards() -> Iterator[Card]:
    """Yield the card of each kind."""
    for kind, (title, how) in _EXACT.items():
        yield _exact(kind, title, how)
    for kind, title in _PRIVATE.items():
        yield _private(kind, title)
    for kind, title in _JOINED.items():
        yield _joined(kind, title)
    yield FLOWER


def _exact(kind: str, title: str, how: str) -> Card:
    return Card(
        name=kind,
        title=f"{title}, trained where the rows are",
        technique=Technique.FL,
        maturity=Maturity.TESTED,
        does=f"Each step asks all owners for the same sums, which are opened over all of them "
        f"alone: {how}.",
        assumes=(_STEPS,),
        honest=(
            "The recipient follows the protocol: one that alters its software chooses what it "
            "asks within the kind's steps, and may tell single rows apart by it.",
        ),
        leaks=(
            *(f"To the recipient, over all owners: {line}." for line in OPENS[kind]),
            *_TOLD,
        ),
        not_covered=(
            *_OWN_ROWS,
            "Masked sums can't be tested for min_group: each owner has to have that many persons, "
            "and that is all.",
            "Whoever gets the same sums with and without an owner can subtract them.",
        ),
        endpoint=_ENDPOINT,
        metadata=_METADATA,
        inference="The model is exact: whether a person was in it may be told from it; "
        "max_membership withholds one that gives away more.",
        rests_on=("secagg", "masks"),
        tests=(
            f"tests/cleanroom/learning/{_TESTS[kind]}",
            "tests/cleanroom/learning/test_hostile_recipients.py"
            "::test_a_spoilt_step_is_answered_or_refused_by_name",
        ),
    )


def _private(kind: str, title: str) -> Card:
    return Card(
        name=kind,
        title=title,
        technique=Technique.DP,
        maturity=Maturity.TESTED,
        does="Owners shorten each row's vector, add their shares of exact discrete noise, mask, "
        "and are added up; the whole cost is charged to their budgets before the first sum.",
        assumes=(
            _STEPS,
            "A person has rows at as many owners, and so many at each, as job and contract say.",
        ),
        honest=(
            "As many owners as `honest` says add their noise and keep it to themselves; the "
            "recipient may deviate in any way.",
        ),
        leaks=(
            "To the recipient: the noisy sum of each step, and the model that follows from them.",
            *_TOLD,
        ),
        not_covered=(
            *_OWN_ROWS,
            "An owner that adds too little noise isn't found.",
            "min_group isn't tested: that an owner has too few persons would be an exact answer.",
        ),
        endpoint=_ENDPOINT,
        metadata=_METADATA,
        inference="All sums together tell of one person no more than the epsilon and delta that "
        "the sheet states.",
        rests_on=("dp", "secagg", "masks"),
        tests=(
            f"tests/cleanroom/learning/{_TESTS[kind]}",
            "tests/cleanroom/learning/test_private_owners.py"
            "::test_the_sum_has_the_promised_noise_end_to_end",
        ),
    )


def _joined(kind: str, title: str) -> Card:
    return Card(
        name=kind,
        title=title,
        technique=Technique.MPC,
        maturity=Maturity.TESTED,
        does="Rows of several owners are joined on secret shares and a regression is fitted "
        "there, with iterations fixed beforehand; only the coefficients are opened.",
        assumes=("What rep3 assumes.",),
        honest=("What rep3 asks of the computing members.",),
        leaks=(
            "To the recipient: the coefficients, or that too few persons stand behind the rows.",
        ),
        not_covered=(
            "How many persons a single feature tells apart isn't tested; min_group counts those "
            "behind all joined rows.",
            "The fit's quality: no loss, curve or test is opened.",
        ),
        endpoint=_ENDPOINT.replace("every step's sum", "nothing else"),
        metadata="As of any query on secret shares.",
        inference="Coefficients are exact up to fixed point: steep ones may tell single persons.",
        rests_on=("rep3", "sdc"),
        tests=(
            "tests/cleanroom/execution/test_fitting.py::test_too_few_persons_open_nothing",
            "tests/cleanroom/execution/test_fitting.py::test_what_is_sent_depends_on_sizes_alone",
        ),
    )


FLOWER = Card(
    name="flower",
    title="Flower's apps, unchanged",
    technique=Technique.FL,
    maturity=Maturity.TESTED,
    does="Foreign code trains at each owner in a process without network, on its own rows; only "
    "weighted sums of bounded updates are opened.",
    assumes=(
        _STEPS,
        "Linux 5.13 or newer with Landlock and seccomp, without faults that let the app out.",
        "Each owner read the code that it approved by its hash.",
    ),
    honest=(
        "The app's code: what it adds to a sum is its own choice, and can hold anything of the "
        "rows, up to its bounds.",
    ),
    leaks=(
        "To the recipient: each round's weighted sums of updates and metrics.",
        "To the recipient: when an app answers, and which rule ended it.",
        "To the app: whether a path exists and how large a file is.",
        *_TOLD,
    ),
    not_covered=(*_OWN_ROWS, "Strategies that need single updates are refused by name."),
    endpoint="The app's log may tell rows, and stays with its owner.",
    metadata=_METADATA,
    inference="Updates of a large model over few owners can tell of single rows.",
    rests_on=("secagg", "masks"),
    tests=(
        "tests/cleanroom/flower/test_lockdown.py"
        "::test_it_can_compute_and_use_its_folder_and_nothing_else",
        "tests/cleanroom/flower/test_grid.py"
        "::test_strategies_of_single_updates_are_refused_by_name",
        "tests/cleanroom/flower/test_apps.py::test_what_runs_is_what_was_hashed",
    ),
)
