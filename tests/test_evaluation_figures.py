"""Evaluation: abstention, intervals and significance, against values worked out by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from policy_qa.evaluation.abstention import (
    area_under_roc,
    bin_numbers,
    calibration_error,
    coverage,
    once,
)
from policy_qa.evaluation.curves import hits_at, in_use, reliability, risks
from policy_qa.evaluation.figures import (
    ABSTENTION,
    ANSWERED,
    AREA,
    CALIBRATION,
    COVERAGE,
    WRONG,
    figures,
)
from policy_qa.evaluation.intervals import (
    PERMUTATIONS,
    RESAMPLES,
    Estimate,
    draws,
    estimate,
    estimate_share,
    paired_p,
)
from policy_qa.evaluation.measures import MEASURES, Outcome
from policy_qa.evaluation.results import RunResult


def array(*values: float) -> np.ndarray:
    """Return a float64 array."""
    return np.array(values, np.float64)


def flags(text: str) -> np.ndarray:
    """Return a bool array: 1 is true."""
    return np.array([character == "1" for character in text])


def outcome(number: int, rank: int | None, confidence: float | None, status="related") -> Outcome:
    """Return what became of a query."""
    return Outcome(f"q{number}", "d", rank, float(rank == 1), float(bool(rank)), confidence, status)


# --- area under ROC -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("confidence", "answerable", "area"),
    [
        ((0.9, 0.8, 0.2, 0.1), "1100", 1.0),
        ((0.9, 0.8, 0.2, 0.1), "0011", 0.0),
        ((0.5, 0.5, 0.5, 0.5), "1100", 0.5),
        # Pairs: .9 beats both, .5 ties with .5 and beats .1.
        ((0.9, 0.5, 0.5, 0.1), "1100", (1 + 1 + 0.5 + 1) / 4),
    ],
)
def test_area_under_roc(confidence, answerable, area):
    """The area is the share of pairs in the right order; ties count half."""
    found = area_under_roc(array(*confidence), flags(answerable), once(4))
    assert found == pytest.approx([area])


confidences = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), min_size=2, max_size=30)


@given(confidence=confidences, data=st.data())
def test_area_agrees_with_scikit_learn(confidence, data):
    """Whatever the ties and weights, the area is that of scikit-learn."""
    n = len(confidence)
    answerable = np.array(data.draw(st.permutations([True, False, *[True] * (n - 2)])))
    weights = np.array(data.draw(st.lists(st.integers(1, 4), min_size=n, max_size=n)), float)
    found = area_under_roc(array(*confidence), answerable, weights[None])[0]
    assert found == pytest.approx(roc_auc_score(answerable, confidence, sample_weight=weights))


# --- coverage -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("confidence", "right", "precision", "covered"),
    [
        ((0.9, 0.8, 0.7, 0.6), "1111", 0.95, 1.0),
        ((0.9, 0.8, 0.7, 0.6), "0111", 0.95, 0.0),
        ((0.9, 0.8, 0.7, 0.6), "1100", 0.95, 0.5),
        # Three of four right is enough for .75, though two of three was not.
        ((0.9, 0.8, 0.7, 0.6), "1011", 0.75, 1.0),
        # The two at .8 are answered together, and one of them is wrong.
        ((0.9, 0.8, 0.8, 0.6), "1100", 0.95, 0.25),
    ],
)
def test_coverage(confidence, right, precision, covered):
    """As many are answered as keep the precision; those of equal confidence go together."""
    found = coverage(array(*confidence), flags(right), once(4), precision)
    assert found == pytest.approx([covered])


def test_coverage_at_exactly_the_precision():
    """19 of 20 right is 95%."""
    right = np.arange(20) < 19
    assert coverage(np.linspace(1, 0, 20), right, once(20)) == pytest.approx([1.0])


# --- calibration --------------------------------------------------------------------------------


def test_calibration_error_by_hand():
    """Two bins of two: gaps |.2 - 0| and |.8 - .5|, each with half the mass."""
    found = calibration_error(array(0.1, 0.3, 0.7, 0.9), flags("0010"), once(4), bins=2)
    assert found == pytest.approx([(0.2 + 0.3) / 2])


def test_a_perfectly_calibrated_bin_has_no_error():
    """Of four at .75 three are right; ties share a bin."""
    assert calibration_error(np.full(4, 0.75), flags("1110"), once(4)) == pytest.approx([0])


def test_bins_have_equal_mass():
    """Without ties the bins are those of numpy.array_split; a heavy level falls by its middle."""
    assert bin_numbers(once(20)).tolist() == [[n // 2 for n in range(20)]]
    assert bin_numbers(array(1, 8, 1)[None], 10).tolist() == [[0, 5, 9]]


@given(confidence=confidences, data=st.data())
def test_a_weight_is_as_good_as_a_copy(confidence, data):
    """A question drawn twice counts as two: every measure takes weights so."""
    n = len(confidence)
    right = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    counts = np.array(data.draw(st.lists(st.integers(1, 3), min_size=n, max_size=n)))
    copied, copies = np.repeat(array(*confidence), counts), np.repeat(right, counts)
    for measure in (coverage, calibration_error):
        weighted = measure(array(*confidence), right, counts[None].astype(float))
        assert weighted == pytest.approx(measure(copied, copies, once(len(copied))))


# --- intervals ----------------------------------------------------------------------------------


def test_draws_keep_the_size_of_each_group():
    """Each resample draws as many questions of a group as it has, and always the same ones."""
    drawn = draws(7, 0, 3)
    assert drawn.shape == (RESAMPLES, 10)
    assert (drawn[:, :7].sum(axis=1) == 7).all()
    assert (drawn[:, 7:].sum(axis=1) == 3).all()
    assert (drawn == draws(7, 0, 3)).all()
    assert 0.9 < drawn.mean() < 1.1


def test_an_interval_holds_the_middle_of_the_resamples():
    """The ends are the 2.5th and the 97.5th percentile."""
    found = estimate(0.5, np.linspace(0, 1, RESAMPLES))
    assert found == Estimate(0.5, 0.025, 0.975)


def test_a_bootstrap_interval_is_that_of_theory():
    """The interval of a share agrees with the normal one, p ± 1.96 √(p (1 - p) / n)."""
    n, right = 400, 300
    values = np.arange(n) < right
    found = estimate(right / n, draws(n) @ values / n)
    theory = 1.96 * np.sqrt(0.75 * 0.25 / n)
    assert (found.high - found.low) / 2 == pytest.approx(theory, rel=0.1)


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [
        # As Newcombe gives them (Statistics in Medicine 17, 1998, table I).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # z²/7 = .5488: seven of seven leave 1 / 1.5488 as the lower end.
        (7, 7, 0.6457, 1.0),
        (0, 7, 0.0, 0.3543),
        (1, 1, 0.2065, 1.0),
    ],
)
def test_the_interval_of_a_share(count, n, low, high):
    """It is Wilson's, and claims no certainty even where all are alike."""
    assert estimate_share(count, n) == Estimate(round(count / n, 4), low, high)


@given(n=st.integers(1, 500), data=st.data())
def test_the_interval_of_a_share_holds_it(n, data):
    """Its ends stand around the share and are the roots of (p - x)² = z² x (1 - x) / n."""
    count = data.draw(st.integers(0, n))
    found = estimate_share(count, n)
    assert 0 <= found.low <= found.value <= found.high <= 1
    for end in (found.low, found.high):
        misfit = (count / n - end) ** 2 - 1.959964**2 * end * (1 - end) / n
        assert misfit == pytest.approx(0, abs=2e-3)


# --- randomisation ------------------------------------------------------------------------------


def test_all_swaps_of_a_few_queries():
    """Three queries that all gain: of eight swaps two are as large, so p is 1/4."""
    assert paired_p(array(0, 0, 0), array(1, 1, 1)) == 0.25


def test_queries_without_a_difference_change_nothing():
    """Adding queries that both runs answer alike leaves p as it is."""
    assert paired_p(array(0, 0, 0, 1, 0.5), array(1, 1, 1, 1, 0.5)) == 0.25


def test_no_difference_at_all():
    """Equal runs have p 1."""
    assert paired_p(array(0.5, 1), array(0.5, 1)) == 1


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6), st.integers(0, 1)
)
def test_p_agrees_with_counting(pairs, side):
    """P is the share of all swaps with a sum at least as large, whichever run comes first."""
    before, after = np.array(pairs).T
    differences = after - before
    sums = [
        abs(sum(sign * d for sign, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(pairs))
    ]
    counted = np.mean([total >= abs(differences.sum()) - 1e-9 for total in sums])
    given_first = (after, before) if side else (before, after)
    assert paired_p(*given_first) == pytest.approx(counted)


def test_many_queries_are_sampled():
    """With more swaps than can be counted p is drawn: near the exact one, never 0, always alike."""
    before, after = np.zeros(20), np.array([1.0] * 15 + [-1.0] * 5)
    exact = 2 * 21_700 / 2**20  # the binomial tail: at least 15 of 20 heads, both sides
    p = paired_p(before, after)
    assert p == pytest.approx(exact, abs=0.005)
    assert p == paired_p(before, after)
    assert paired_p(np.zeros(60), np.ones(60)) == 1 / (PERMUTATIONS + 1)


# --- figures ------------------------------------------------------------------------------------

COVERED = (
    outcome(1, 1, 0.9, "answered"),
    outcome(2, 2, 0.8, "answered"),
    outcome(3, 1, 0.4),
    outcome(4, None, 0.1, "not_covered"),
)
UNCOVERED = (outcome(5, None, 0.6, "answered"), outcome(6, None, 0.05, "not_covered"))


def test_figures_of_abstention_by_hand():
    """Wrong answers and coverage are shares of all questions, those without an answer included."""
    found = figures(COVERED, UNCOVERED)
    assert (found.covered, found.uncovered) == (4, 2)
    assert tuple(found.measures) == MEASURES
    assert tuple(found.abstention) == ABSTENTION
    values = {name: figure.value for name, figure in found.abstention.items()}
    gaps = [0.05, 0.1, 0.6, 0.6, 0.8, 0.1]  # each question alone in its bin
    assert values == pytest.approx(
        {
            AREA: 6 / 8,  # .9 and .8 beat both; .4 and .1 beat .05 only
            COVERAGE: 1 / 6,
            CALIBRATION: sum(gaps) / 6,
            WRONG: 2 / 6,
            ANSWERED: 3 / 6,
        },
        abs=1e-4,
    )


def test_figures_without_questions_of_one_kind():
    """Without unanswerable questions there is no area; without others only shares and the area."""
    assert AREA not in figures(COVERED, ()).abstention
    alone = figures((), UNCOVERED, COVERED)
    assert (alone.covered, alone.measures) == (0, {})
    assert set(alone.abstention) == {AREA, WRONG, ANSWERED}
    assert alone.abstention[AREA].value == pytest.approx(6 / 8)


def test_figures_of_a_run_without_confidence():
    """A run made elsewhere has measures of retrieval alone."""
    found = figures([outcome(1, 1, None, None)], ())
    assert found.measures["hit@1"] == Estimate(1, 0.2065, 1)
    assert found.measures["MRR@10"] == Estimate(1, 1, 1)
    assert found.abstention == {}


def test_shares_have_intervals_of_their_own():
    """What is 0 or 1 for each query has Wilson's interval, all else that of the bootstrap."""
    found = figures(COVERED, UNCOVERED)
    for name, count in zip(("hit@1", "hit@3", "hit@5", "hit@10"), (2, 3, 3, 3), strict=True):
        assert found.measures[name] == estimate_share(count, 4)
    assert found.abstention[WRONG] == estimate_share(2, 6)
    assert found.abstention[ANSWERED] == estimate_share(3, 6)
    reciprocal = draws(4) @ array(1, 1 / 2, 1, 0) / 4
    assert found.measures["MRR@10"] == estimate(0.625, reciprocal)


def test_figures_are_always_alike():
    """Two calls give equal figures, intervals included."""
    assert figures(COVERED, UNCOVERED) == figures(COVERED, UNCOVERED)


# --- curves -------------------------------------------------------------------------------------

RUN = RunResult("questions indexed", figures(COVERED, UNCOVERED), (), COVERED, UNCOVERED)


def test_curves_by_hand():
    """hit@k, risk against coverage and the threshold's dot are what the outcomes say."""
    assert hits_at(COVERED).tolist() == [0.5] + [0.75] * 9
    answered, wrong = risks(RUN)
    assert answered.tolist() == pytest.approx([n / 6 for n in range(1, 7)])
    assert wrong.tolist() == pytest.approx([0, 1 / 2, 2 / 3, 2 / 4, 3 / 5, 4 / 6])
    assert in_use(RUN) == pytest.approx((3 / 6, 2 / 3))
    sure, right = reliability(RUN)
    assert sure.tolist() == pytest.approx([0.05, 0.1, 0.4, 0.6, 0.8, 0.9])
    assert right.tolist() == [0, 0, 1, 0, 0, 1]
