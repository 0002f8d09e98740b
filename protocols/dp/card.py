"""The card of `protocols.dp`."""

from protocols.card import Card, Maturity, Technique

CARD = Card(
    name="dp",
    title="exact discrete noise, drawn in shares",
    technique=Technique.DP,
    maturity=Maturity.TESTED,
    does="Integers get noise from the discrete Laplace or Gaussian distribution, sampled exactly, "
    "in shares of which nobody knows the sum; what it costs is counted in rho-zCDP.",
    assumes=(
        "Whoever uses it bounds what one person can change: clipped values, so many rows of a "
        "person at one owner, at so many owners.",
        "AES-128 in counter mode is pseudorandom.",
    ),
    honest=(
        "As many noise shares are counted as the plan says: a member that adds too little noise, "
        "or tells its share, takes away its own part only.",
    ),
    leaks=("By the time that drawing takes: how many candidates were refused.",),
    not_covered=(
        "That a member drew its noise at all: nothing proves it.",
        "Persons who appear under several keys, or at more owners than were counted.",
        "What isn't noisy: sizes, times, refusals, who takes part.",
    ),
    endpoint="Exact sums exist nowhere in the clear before their noise is in them; rows lie at "
    "their owners.",
    metadata="The number of noisy answers and when they were asked are visible.",
    inference="Epsilon bounds what all answers together tell of one person; it isn't zero, and "
    "facts about groups are meant to be learnt.",
    tests=(
        "tests/protocols/dp/test_samplers.py::test_half_the_noise_is_noticed",
        "tests/protocols/dp/test_samplers.py"
        "::test_a_count_keeps_its_epsilon_and_half_the_noise_does_not",
        "tests/protocols/dp/test_shares.py::test_shares_never_cost_more_than_promised",
    ),
    source=(
        "Canonne, Kamath, Steinke, NeurIPS 2020, algorithms 1 and 2",
        "Kairouz, Liu, Steinke, ICML 2021 (sums of discrete Gaussians)",
    ),
)
