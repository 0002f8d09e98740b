"""Secret weights against several owners' histograms: exact, and nothing but the total shows."""

import dataclasses
import itertools

import numpy as np
import pytest
from ciphertexts import pair_secrets, summed

from protocols.he.bfv import KeyUsed, SecretKey
from protocols.he.integers import SumOutOfRange
from protocols.he.memory import saved
from protocols.he.parameters import FILTER, FILTER_WIDE, SCORE, SUM
from protocols.he.private_filter import MAX_VALUES, Asking, answer
from protocols.he.scheme import CiphertextRefused, VectorRefused, scheme_of

OWNERS = ("clinic_a", "clinic_b", "clinic_c")
BINDING = "contract|plan|session"
_numbers = itertools.count()


def coins():
    return next(_numbers).to_bytes(32, "big")


def answers(asking, histograms, bindings=None, secrets=None):
    secrets, bindings = secrets or pair_secrets(tuple(histograms)), bindings or {}
    return {
        name: answer(
            asking.question, own, name, secrets[name], bindings.get(name, BINDING), coins()
        )
        for name, own in histograms.items()
    }


def result(asking, parts):
    sums = summed(parts, asking.question.parameters)
    return asking.results(sums, tuple(parts), BINDING)


def small(names=OWNERS):
    """Return weights, and for each owner one histogram whose weighted sum is 140."""
    return np.array([0, 1, 2, 3]), {name: [np.array([5, 10, 20, 30])] for name in names}


def ask_small(masses=(1000,)):
    return Asking(small()[0], 3, masses, coins())


@pytest.mark.parametrize("n", [1, 2, 8191, 8192, 8193, MAX_VALUES])
def test_totals_are_those_of_the_rows_that_the_selector_picks(n):
    rng = np.random.default_rng(n)
    selector = rng.integers(0, 2, n)
    rows = {name: rng.integers(0, n, 3000) for name in OWNERS}
    amounts = {name: rng.integers(-(10**6), 10**6, 3000) for name in OWNERS}
    histograms = {name: [np.bincount(rows[name], minlength=n), zeros(n)] for name in OWNERS}
    for name in OWNERS:
        np.add.at(histograms[name][1], rows[name], amounts[name])
    asking = Asking(selector, 1, (9000, 9000 * 10**6), coins())
    wanted_count = sum(int(selector[rows[name]].sum()) for name in OWNERS)
    wanted_sum = sum(int(amounts[name][selector[rows[name]] == 1].sum()) for name in OWNERS)
    assert result(asking, answers(asking, histograms)) == [wanted_count, wanted_sum]


def zeros(n):
    return np.zeros(n, dtype=np.int64)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("parameters", [FILTER, FILTER_WIDE])
def test_totals_up_to_half_the_modulus_are_exact(parameters, sign):
    most = (scheme_of(parameters).modulus - 1) // 2
    asking = Asking(np.array([1, -1]), 1, (most,), coins())
    assert asking.question.parameters is parameters
    cells = {"clinic_a": [0, -sign * (most - 9)], "clinic_b": [sign * 9, 0]}
    histograms = {name: [np.array(own)] for name, own in cells.items()}
    assert result(asking, answers(asking, histograms)) == [sign * most]


def test_totals_beyond_it_are_refused_before_encryption():
    most = (scheme_of(FILTER_WIDE).modulus - 1) // 2
    with pytest.raises(SumOutOfRange, match=f"{most} is the most"):
        Asking(np.array([1, 0]), 1, (most + 1,), coins())
    with pytest.raises(SumOutOfRange, match=f"{most} is the most"):
        Asking(np.array([1, 0]), 2, (most // 2 + 1,), coins())


@pytest.mark.parametrize("weights", [[7, -7], [2**20, 3], [0, 0]])
def test_weights_of_either_sign_and_zero(weights):
    asking = Asking(np.array(weights), 2**20, (100,), coins())
    histograms = {name: [np.array([4, -3])] for name in OWNERS}
    assert result(asking, answers(asking, histograms)) == [3 * (4 * weights[0] - 3 * weights[1])]


def test_empty_histograms_answer_too():
    asking = ask_small()
    assert result(asking, answers(asking, {name: [zeros(4)] for name in OWNERS})) == [0]


def test_one_owner_alone_can_answer():
    asking, histograms = ask_small(), small(("clinic_a",))[1]
    assert result(asking, answers(asking, histograms)) == [140]


def without_one(parts):
    return {name: parts[name] for name in OWNERS[:2]}


def one_twice(parts):
    return {**parts, "again": parts["clinic_a"]}


def another_place(parts):
    return {name: parts[name][::-1] for name in OWNERS}


@pytest.mark.parametrize("change", [without_one, one_twice, another_place])
def test_a_sum_of_other_answers_is_refused(change):
    asking = Asking(small()[0], 3, (1000, 1000), coins())
    parts = answers(asking, {name: 2 * own for name, own in small()[1].items()})
    with pytest.raises(CiphertextRefused, match="misses a contribution"):
        asking.results(summed(change(parts), FILTER), OWNERS, BINDING)


def test_a_lone_answer_twice_is_refused():
    asking = ask_small()
    parts = answers(asking, small(("clinic_a",))[1])
    twice = summed({**parts, "again": parts["clinic_a"]}, FILTER)
    with pytest.raises(CiphertextRefused, match="misses a contribution"):
        asking.results(twice, ("clinic_a",), BINDING)


def test_an_answer_for_another_session_is_refused():
    asking = ask_small()
    parts = answers(asking, small()[1], bindings={"clinic_b": "contract|plan|other session"})
    with pytest.raises(CiphertextRefused, match="misses a contribution"):
        result(asking, parts)


def test_an_answer_to_another_question_is_refused():
    asking, other = ask_small(), ask_small()
    parts = {**answers(asking, small()[1]), "clinic_b": answers(other, small()[1])["clinic_b"]}
    with pytest.raises(CiphertextRefused, match="another key"):
        result(asking, parts)


def test_an_owner_alone_is_hidden_from_the_key_even_with_its_check_known():
    asking = ask_small()
    parts = answers(asking, small()[1])
    with pytest.raises(CiphertextRefused, match="noise budget"):
        asking.results(parts["clinic_a"], ("clinic_a",), BINDING)


def test_the_answer_is_opened_once_and_must_be_whole():
    asking = ask_small()
    sums = summed(answers(asking, small()[1]), FILTER)
    with pytest.raises(CiphertextRefused, match="0 answers for 1"):
        asking.results([], OWNERS, BINDING)
    assert asking.results(sums, OWNERS, BINDING) == [420]
    with pytest.raises(KeyUsed):
        asking.results(sums, OWNERS, BINDING)


def test_a_total_beyond_what_was_declared_is_refused():
    asking = ask_small((65,))
    with pytest.raises(CiphertextRefused, match="beyond its declared reach"):
        result(asking, answers(asking, small()[1]))


@pytest.mark.parametrize(
    ("histogram", "refusal"),
    [
        (np.array([1.0, 2.0, 3.0, 4.0]), VectorRefused),
        (np.array([np.nan] * 4), VectorRefused),
        (np.array([1, 2, 3]), VectorRefused),
        (zeros(0), VectorRefused),
        (np.zeros((2, 2), dtype=np.int64), VectorRefused),
        (np.array([1001, 0, 0, 0]), SumOutOfRange),
        (np.array([500, -501, 0, 0]), SumOutOfRange),
        (np.array([-(2**63)] * 4), SumOutOfRange),
    ],
    ids=["float", "NaN", "short", "empty", "two axes", "large", "mass", "least"],
)
def test_what_is_no_histogram_is_refused(histogram, refusal):
    with pytest.raises(refusal):
        answer(ask_small().question, [histogram], "clinic_a", {}, BINDING, coins())


@pytest.mark.parametrize(
    ("weights", "largest", "refusal"),
    [
        (np.array([0.5]), 1, VectorRefused),
        (np.array([np.nan]), 1, VectorRefused),
        (zeros(0), 1, VectorRefused),
        (zeros(MAX_VALUES + 1), 1, VectorRefused),
        (np.array([2]), 1, SumOutOfRange),
    ],
    ids=["float", "NaN", "empty", "over-long", "above the largest"],
)
def test_what_are_no_weights_is_refused(weights, largest, refusal):
    with pytest.raises(refusal):
        Asking(weights, largest, (10,), coins())


def questions():
    """Return questions that owners refuse, each a change of a good one."""
    asking = ask_small()
    good = asking.question
    whole = next(SecretKey(SUM).encrypt(np.arange(4, dtype=np.uint64)))
    other = next(SecretKey(SCORE).encrypt(np.arange(4, dtype=np.uint64)))
    return {
        "parameters of sums": {"parameters": SUM},
        "parameters of scores": {"parameters": SCORE},
        "no values": {"n": 0},
        "too many values": {"n": MAX_VALUES + 1},
        "more values than ciphertexts": {"n": 8193},
        "too many ciphertexts": {"parts": good.parts * 2},
        "no histogram": {"masses": ()},
        "too many histograms": {"masses": (1,) * 65},
        "another parameter set's ciphertext": {"parts": (whole,)},
        "a score's ciphertext": {"parts": (other,)},
        "a short nonce": {"nonce": bytes(31)},
        "nothing": {"parts": (b"",)},
        "too many bytes": {"parts": (bytes(FILTER.max_bytes),)},
        "an answer": {"parts": tuple(answers(asking, small()[1])["clinic_a"])},
    }


QUESTIONS = questions()


@pytest.mark.parametrize("kind", QUESTIONS)
def test_what_is_no_question_is_refused(kind):
    question = dataclasses.replace(ask_small().question, **QUESTIONS[kind])
    histograms = [zeros(question.n) for _ in question.masses]
    with pytest.raises(CiphertextRefused):
        answer(question, histograms, "clinic_a", {}, BINDING, coins())


@pytest.mark.parametrize("parameters", [SUM, SCORE])
def test_parameters_of_another_protocol_are_refused(parameters):
    question = dataclasses.replace(ask_small().question, parameters=parameters)
    with pytest.raises(CiphertextRefused, match="no parameters for a filter"):
        question.check()


def test_a_mass_that_cannot_be_exact_is_refused():
    question = dataclasses.replace(ask_small().question, masses=(2**48,))
    with pytest.raises(SumOutOfRange):
        answer(question, [zeros(4)], "clinic_a", {}, BINDING, coins())


def test_a_question_that_brings_its_own_second_half_is_refused():
    scheme = scheme_of(FILTER)
    seeded = next(SecretKey(FILTER).encrypt(np.arange(4, dtype=np.uint64)))
    whole = scheme.load(seeded, scheme.fresh_level)
    scheme.evaluator.transform_to_ntt_inplace(whole)
    for part, refusal in ((seeded, "not a fresh"), (saved(whole), "one polynomial alone")):
        question = dataclasses.replace(ask_small().question, parts=(part,))
        with pytest.raises(CiphertextRefused, match=refusal):
            answer(question, [zeros(4)], "clinic_a", {}, BINDING, coins())


def test_the_figures_of_bytes_hold():
    asking = Asking(np.arange(8192) % 2, 1, (8192,), coins())
    assert sum(map(len, asking.question.parts)) <= 200_000
    (sent,) = answer(asking.question, [np.ones(8192, dtype=np.int64)], "a", {}, BINDING, coins())
    assert len(sent) <= 132_000
