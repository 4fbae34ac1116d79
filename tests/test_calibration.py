"""Confidence corrected for one knowledge base: learned, kept, used, and what it is built on."""

import itertools
import json
import math
import shlex
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from fakes import LetterEncoder, build
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa import Document, KnowledgeBase, centring
from policy_qa.calibration import CALIBRATION_FILE, load, remove, save
from policy_qa.centring import LANGUAGES, Centres
from policy_qa.cli import main
from policy_qa.confidence import Calibration, log_odds
from policy_qa.dense import DenseIndex
from policy_qa.errors import CorruptionError, EvaluationError, LockedError
from policy_qa.evaluation.calibrating import LEAST_OF_EACH, Fitted, fit
from policy_qa.settings import SHARED_AMONG, WRONG_ANSWER_COST, WRONG_HINT_COST
from policy_qa.storage import CENTRES_FILE, DENSE_FILE, generation_folder, writing

GENERAL = Calibration()
CORRECTED = Calibration(slope=0.5, intercept=0.25, wrong_answer_cost=3.0, wrong_hint_cost=0.5)
COSTS_ALONE = Calibration(wrong_answer_cost=3.0, wrong_hint_cost=0.5)
ENCODER = LetterEncoder().identity
SYLLABLES = (("ba", "de", "fi", "go"), ("lu", "ma", "ne", "po"), ("ra", "so", "tu", "vi"))
WORDS = ["".join(parts) for parts in itertools.product(*SYLLABLES)]
DOORS = Document(
    "doors.txt",
    "".join(
        f"{number}. Where is the {word}?\nThe {word} is behind door {number}.\n"
        for number, word in enumerate(WORDS, start=1)
    ),
)
COVERED = {f"doors#{number}": f"Where is the {word}?" for number, word in enumerate(WORDS, 1)}
UNCOVERED = [f"Who sold a {word[::-1]} to him?" for word in WORDS]


def logistic(log_odds: float) -> float:
    """Return the probability of log odds."""
    return 1 / (1 + math.exp(-log_odds))


# --- learning -----------------------------------------------------------------------------------


def levels(
    true: Callable[[float], float], around: float = 0.0, each: int = 1000
) -> tuple[list[float], list[bool]]:
    """Return log odds up to 3 about a middle, `each` of every level, as many right as is true."""
    odds, right = [], []
    for level in np.linspace(around - 3, around + 3, 13).tolist():
        n_right = round(each * logistic(true(level)))
        odds += [level] * each
        right += [True] * n_right + [False] * (each - n_right)
    return odds, right


@pytest.mark.parametrize(
    ("slope", "intercept", "around"),
    [
        (1, 0, 0),
        (0.5, -1, 0),
        (2, 1, 0),
        (0.25, 0.75, -1),
        (3, -2, 1),
        (0.3, 1.5, -5),
        (1.2, 9, -8),
        (1.5, -9, 6),
        (2, 24, -12),
    ],
)
def test_what_is_true_is_learned(slope, intercept, around):
    """From many questions, slope and intercept come back, however far off general confidence is."""
    learned = fit(*levels(lambda odds: intercept + slope * odds, around), GENERAL).calibration
    assert (learned.slope, learned.intercept) == pytest.approx(
        (slope, intercept), rel=0.02, abs=0.02
    )


def test_a_calibration_by_hand():
    """Of two levels, each gets the share of right answers there, with Platt's targets.

    Ten of 50 are right at log odds of -1, 40 of 50 at 1; targets are 51/52 and 1/52. Their mean at
    1 is (40 * 51 + 10) / (50 * 52) = 41/52, so the corrected log odds there are ln(41 / 11).
    """
    right = [n < 10 for n in range(50)] + [n < 40 for n in range(50)]
    learned = fit([-1.0] * 50 + [1.0] * 50, right, GENERAL).calibration
    assert learned.slope == pytest.approx(math.log(41 / 11), abs=1e-4)
    assert learned.intercept == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("n", [40, 400])
@pytest.mark.parametrize("around", [0, -6, 6])
def test_no_certainty_from_a_set_without_a_mistake(n, around):
    """Where all is told apart, n right answers are believed to Platt's (n + 1) / (n + 2)."""
    learned = fit(
        [around + 3.0] * n + [around - 3.0] * n, [True] * n + [False] * n, GENERAL
    ).calibration
    sure = logistic(learned.intercept + learned.slope * (around + 3))
    unsure = logistic(learned.intercept + learned.slope * (around - 3))
    assert sure == pytest.approx((n + 1) / (n + 2), abs=2e-3)
    assert unsure == pytest.approx(1 / (n + 2), abs=2e-3)


@pytest.mark.parametrize("spread", [2, 3, 4])
def test_log_odds_that_say_nothing(spread):
    """Where right ones are as frequent at any log odds, the slope is 0 and they say how frequent.

    Three in ten are right of each level: ln(3/7) is -0.85.
    """
    odds = np.repeat(np.linspace(-2 * spread, 2 * spread, 21), 20).tolist()
    learned = fit(odds, [n % 20 < 6 for n in range(len(odds))], GENERAL).calibration
    assert learned.slope == pytest.approx(0, abs=0.01)
    assert learned.intercept == pytest.approx(math.log(3 / 7), abs=0.02)


@pytest.mark.parametrize("around", [-12, -6, -4, 4, 6, 12])
@pytest.mark.parametrize("seed", range(3))
def test_a_calibration_is_no_worse_than_one_share_for_all(seed, around):
    """What was learned of a few questions is finite and likelier than the share right for all."""
    generator = np.random.default_rng(seed)
    right = generator.permutation(np.arange(200) < 90)
    odds = around + generator.normal(size=200) * 1.5 + right
    learned = fit(odds.tolist(), right.tolist(), GENERAL).calibration
    corrected = learned.intercept + learned.slope * odds
    assert np.isfinite(corrected).all()
    loss = np.logaddexp(0, np.where(right, -corrected, corrected)).mean()
    assert loss < -(0.45 * math.log(0.45) + 0.55 * math.log(0.55))


@pytest.mark.parametrize(("right", "wrong"), [(39, 40), (40, 39), (0, 500), (500, 0), (0, 0)])
def test_too_few_questions(right, wrong):
    """With too few questions of either kind a calibration is refused; it says how many it needs."""
    flags = [True] * right + [False] * wrong
    message = (
        "A calibration needs 40 questions whose best entry answers and 40 without such an entry; "
        f"the set has {right} and {wrong}. Add questions to queries.jsonl, "
    )
    with pytest.raises(EvaluationError, match=message):
        fit([0.0] * len(flags), flags, GENERAL)


@pytest.mark.parametrize("around", [-6, 0, 6])
def test_questions_judged_the_wrong_way_round(around):
    """Where the surer answers are the less often right, nothing is learned; the message says so."""
    odds, right = levels(lambda value: around - value, around, each=100)
    with pytest.raises(EvaluationError, match=r"^On these questions the surer answers are"):
        fit(odds, right, GENERAL)


def test_just_enough_questions():
    """As many questions as are needed do; the calibration keeps the costs and counts them."""
    odds = [1.0] * LEAST_OF_EACH + [-1.0] * LEAST_OF_EACH
    fitted = fit(odds, [value > 0 for value in odds], CORRECTED)
    assert (fitted.right, fitted.wrong) == (40, 40)
    assert fitted.calibration.wrong_answer_cost == CORRECTED.wrong_answer_cost
    assert fitted.calibration.wrong_hint_cost == CORRECTED.wrong_hint_cost


def test_errors_before_and_after():
    """A quarter right at log odds of 0 is an error of a quarter before, of next to none after."""
    fitted = fit([0.0] * 400, [n % 20 < 5 for n in range(400)], GENERAL)
    assert fitted.error_before == pytest.approx(0.25)
    assert fitted.error_after == pytest.approx(0, abs=1e-3)
    assert (fitted.right, fitted.wrong) == (100, 300)


def test_no_question_is_corrected_by_itself():
    """The error after is that of each fifth of the questions as the other four would have it.

    Each fifth question is right, so its fifth is believed to 1/322, for 320 others are wrong; the
    other fifths to (80 * 81/82 + 240/242) / 320, about .25005, for 80 and 240. Gaps are 1 - 1/322
    of 80 questions and .25005 of 320; together .3995. General confidence is .5: .3.
    """
    fitted = fit([0.0] * 400, [n % 5 == 0 for n in range(400)], GENERAL)
    others = (80 * 81 / 82 + 240 / 242) / 320
    assert fitted.error_before == pytest.approx(0.3)
    assert fitted.error_after == pytest.approx((80 * (1 - 1 / 322) + 320 * others) / 400, abs=1e-3)


def test_the_same_questions_give_the_same():
    """Equal questions give equal bits, and in another order the same calibration."""
    odds, right = levels(lambda odds: odds / 2 - 1, each=20)
    first = fit(odds, right, GENERAL)
    assert fit(odds, right, GENERAL) == first
    reversed_ = fit(odds[::-1], right[::-1], GENERAL).calibration
    learned = first.calibration
    assert reversed_.slope == pytest.approx(learned.slope, rel=1e-6)
    assert reversed_.intercept == pytest.approx(learned.intercept, rel=1e-6)


# --- the file -----------------------------------------------------------------------------------


def test_what_is_saved_is_loaded(tmp_path):
    """A calibration comes back to the last bit."""
    kept = Calibration(slope=1 / 3, intercept=-math.pi, wrong_answer_cost=0.1, wrong_hint_cost=1e-9)
    save(tmp_path, kept, ENCODER)
    assert load(tmp_path, ENCODER) == kept
    save(tmp_path, CORRECTED, ENCODER)
    assert load(tmp_path, ENCODER) == CORRECTED


def test_no_calibration(tmp_path):
    """A knowledge base without a calibration has none, also after its removal, done twice."""
    assert load(tmp_path, ENCODER) is None
    save(tmp_path, CORRECTED, ENCODER)
    remove(tmp_path)
    remove(tmp_path)
    assert load(tmp_path, ENCODER) is None


def test_a_calibration_of_another_encoder(tmp_path):
    """Of what was learned with another encoder the costs remain; all is there again for its own."""
    save(tmp_path, CORRECTED, "letters-2")
    assert load(tmp_path, ENCODER) == COSTS_ALONE
    assert load(tmp_path, "letters-2") == CORRECTED


def test_a_calibration_of_other_weights(tmp_path, monkeypatch):
    """Of what corrects the general weights of another program the costs remain."""
    save(tmp_path, CORRECTED, ENCODER)
    monkeypatch.setattr("policy_qa.calibration._weights_digest", lambda: "another")
    assert load(tmp_path, ENCODER) == COSTS_ALONE


def kept_with(**changes: object) -> bytes:
    """Return a whole file with some fields changed; `...` leaves one out."""
    fields = {**asdict(CORRECTED), "encoder": ENCODER, "weights": "", **changes}
    left = {name: value for name, value in fields.items() if value is not ...}
    return json.dumps(left).encode()


DAMAGED = {
    "empty": b"",
    "blank": b"\n",
    "cut": kept_with()[:-1],
    "NUL": b"\0" * 100,
    "no UTF-8": b'{"slope": "\xff"}',
    "UTF-16": kept_with().decode().encode("utf-16"),
    "a list": b"[]",
    "a longer list": b'["encoder", "weights"]',
    "a text": b'"slope"',
    "a number": b"1",
    "null": b"null",
    "an empty object": b"{}",
    "nested deeply": b"[" * 100_000,
    **{f"without {name}": kept_with(**{name: ...}) for name in asdict(CORRECTED)},
    "without encoder": kept_with(encoder=...),
    "without weights": kept_with(weights=...),
    "one field more": kept_with(bias=1.0),
    "a strange field": kept_with(**{"a\nb": 1.0}),
    "slope null": kept_with(slope=None),
    "slope a list": kept_with(slope=[1.0]),
    "slope an object": kept_with(slope={}),
    "slope a word": kept_with(slope="steep"),
    "slope a word in two lines": kept_with(slope="very\nsteep"),
    "slope NaN": kept_with(slope=math.nan),
    "intercept infinite": kept_with(intercept=math.inf),
    "intercept -infinite": kept_with(intercept=-math.inf),
    "a cost infinite": kept_with(wrong_answer_cost=math.inf),
    "slope too large": kept_with().replace(b"0.5", b"1e999", 1),
    "slope of 400 digits": kept_with(slope=10**400),
    "slope of 5,000 digits": kept_with().replace(b"0.5", b"1" * 5000, 1),
    "a cost of 0": kept_with(wrong_answer_cost=0),
    "a hint's cost of 0": kept_with(wrong_hint_cost=0),
    "a negative cost": kept_with(wrong_answer_cost=-1),
    "a hint's negative cost": kept_with(wrong_hint_cost=-0.1),
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file(tmp_path, damaged):
    """A damaged file is named in one line with both ways out."""
    file = tmp_path / CALIBRATION_FILE
    file.write_bytes(damaged)
    with pytest.raises(CorruptionError) as caught:
        load(tmp_path, ENCODER)
    message = str(caught.value)
    assert message.startswith(f"{file} is damaged (")
    assert f"policy-qa calibrate SET --kb {tmp_path}" in message
    assert f"policy-qa calibrate --reset --kb {tmp_path}" in message
    assert "\n" not in message


def test_a_file_cut_anywhere(tmp_path):
    """No beginning of a file passes for a calibration."""
    save(tmp_path, CORRECTED, ENCODER)
    file = tmp_path / CALIBRATION_FILE
    whole = file.read_bytes()
    for length in range(len(whole) - 1):  # the last byte ends the line
        file.write_bytes(whole[:length])
        with pytest.raises(CorruptionError, match="is damaged"):
            load(tmp_path, ENCODER)


def test_a_folder_in_place_of_the_file(tmp_path):
    """What is no file is damaged too."""
    (tmp_path / CALIBRATION_FILE).mkdir()
    with pytest.raises(CorruptionError, match="is damaged"):
        load(tmp_path, ENCODER)


def test_the_ways_out_can_be_pasted(tmp_path):
    """The commands in the message hold for a folder with a space in its name."""
    path = tmp_path / "my kb"
    path.mkdir()
    (path / CALIBRATION_FILE).write_bytes(b"")
    with pytest.raises(CorruptionError) as caught:
        load(path, ENCODER)
    assert str(caught.value).count(f"--kb {shlex.quote(str(path))}") == 3


# --- a knowledge base with one ------------------------------------------------------------------


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a knowledge base of many doors, to copy."""
    path = tmp_path_factory.mktemp("template") / "kb"
    build(path, DOORS).close()
    return path


@pytest.fixture(scope="module")
def doors(template):
    """Open the knowledge base of many doors, general as it is."""
    with KnowledgeBase.open(template, model=LetterEncoder()) as knowledge_base:
        yield knowledge_base


@pytest.fixture
def kb(template: Path, tmp_path: Path) -> Path:
    """Return a copy of the knowledge base of many doors."""
    return shutil.copytree(template, tmp_path / "kb")


QUERY = COVERED["doors#7"]


def ask(path: Path, query: str = QUERY, encoder: str = ENCODER) -> tuple[str, float, float]:
    """Return status, confidence and the general log odds of an answer."""
    with KnowledgeBase.open(path, model=LetterEncoder(encoder)) as knowledge_base:
        answer = knowledge_base.ask(query)
    return answer.status, answer.confidence, log_odds(answer.hits[0].components)


def test_a_knowledge_base_uses_its_calibration(kb):
    """Confidence is the logistic of intercept + slope times the general log odds."""
    _, confidence, general = ask(kb)
    assert confidence == pytest.approx(logistic(general), rel=1e-12)
    save(kb, CORRECTED, ENCODER)
    _, corrected, again = ask(kb)
    assert (corrected, again) == pytest.approx((logistic(0.25 + 0.5 * general), general), rel=1e-12)
    assert corrected != confidence


@pytest.mark.parametrize(
    ("answer_cost", "hint_cost", "status"),
    [(2.9, 1, "answered"), (3.1, 2.9, "related"), (4, 3.1, "not_covered"), (2.9, 9, "answered")],
)
def test_a_knowledge_base_uses_its_costs(kb, answer_cost, hint_cost, status):
    """A confidence of 3/4 is an answer up to a cost of 3, and a hint up to a cost of 3."""
    save(kb, Calibration(0.0, math.log(3), answer_cost, hint_cost), ENCODER)
    found, confidence, _ = ask(kb)
    assert (found, confidence) == (status, pytest.approx(0.75))


def test_a_calibration_outlives_a_rebuild(kb):
    """A new generation, also of other documents, keeps the calibration and uses it at once."""
    save(kb, CORRECTED, ENCODER)
    with build(kb, DOORS, Document("more.txt", "Who guards the doors?\nNobody does.\n")) as rebuilt:
        assert (rebuilt.generation, rebuilt.calibration) == (2, CORRECTED)
    with KnowledgeBase.open(kb, model=LetterEncoder()) as opened:
        assert opened.calibration == CORRECTED


def test_a_rebuild_with_another_encoder(kb):
    """Another encoder's confidence is general, at the same costs; the first one's comes back."""
    save(kb, CORRECTED, ENCODER)
    for encoder, expected in (("letters-2", COSTS_ALONE), (ENCODER, CORRECTED)):
        with build(kb, DOORS, encoder=LetterEncoder(encoder)) as rebuilt:
            assert rebuilt.calibration == expected
        _, confidence, general = ask(kb, encoder=encoder)
        slope, intercept = expected.slope, expected.intercept
        assert confidence == pytest.approx(logistic(intercept + slope * general), rel=1e-12)


def test_a_removed_calibration(kb):
    """Without its calibration a knowledge base answers as before."""
    before = ask(kb)
    save(kb, CORRECTED, ENCODER)
    assert ask(kb) != before
    remove(kb)
    assert ask(kb) == before


def test_a_damaged_calibration_stops_an_opening(kb):
    """A knowledge base with a damaged calibration is not opened as if it had none."""
    (kb / CALIBRATION_FILE).write_bytes(b"{")
    with pytest.raises(CorruptionError, match=r"calibration\.json is damaged"):
        ask(kb)


def test_a_locked_knowledge_base(kb):
    """While another writes, a calibration is neither saved nor removed, and answers go on."""
    save(kb, CORRECTED, ENCODER)
    answered = ask(kb)
    with writing(kb):
        with pytest.raises(
            LockedError, match=rf"knowledge base at {kb}\. It is process .*Try again"
        ):
            save(kb, GENERAL, ENCODER)
        with pytest.raises(
            LockedError, match=rf"knowledge base at {kb}\. It is process .*Try again"
        ):
            remove(kb)
        assert ask(kb) == answered
    assert load(kb, ENCODER) == CORRECTED


# --- the command --------------------------------------------------------------------------------


@pytest.fixture
def cli(capsys, monkeypatch, kb):
    """Run a command on the knowledge base of many doors; return (status, output, messages)."""
    monkeypatch.setenv("POLICY_QA_KB", str(kb))
    monkeypatch.setattr("policy_qa.knowledge_base.load_encoder", lambda *_: LetterEncoder())

    def run(command: str, *arguments: object) -> tuple[int, str, str]:
        model = () if command == "info" else ("--model", "letters")
        try:
            status = main([command, *model, *map(str, arguments)])
        except SystemExit as leaving:
            status = int(leaving.code or 0)
        return status, *capsys.readouterr()

    return run


def done(result: tuple[int, str, str]) -> str:
    """Return what a command said that did what it should."""
    status, output, messages = result
    assert (status, messages) == (0, "")
    return output


def failed(result: tuple[int, str, str]) -> str:
    """Return the message of a command that failed as it should: in one line."""
    status, output, messages = result
    assert (status, output) == (2, "")
    assert messages.startswith("policy-qa: ")
    assert messages.count("\n") == 1
    return messages.removeprefix("policy-qa: ").rstrip("\n")


def jsonl(path: Path, queries: dict[str, str], split: str = "") -> None:
    """Append queries, all of one split, to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    further = {"split": split} if split else {}
    with path.open("a", encoding="utf-8") as file:
        for query_id, text in queries.items():
            file.write(json.dumps({"id": query_id, "text": text, **further}) + "\n")


def judge(folder: Path, qrels: dict[str, tuple[str, int]]) -> None:
    """Append judgments: the query's id to an entry's id and its grade."""
    with (folder / "qrels.tsv").open("a", encoding="utf-8") as file:
        for query_id, (entry_id, grade) in qrels.items():
            file.write(f"{query_id}\t{entry_id}\t{grade}\n")


RIGHT = dict(list(COVERED.items())[:45])
MISJUDGED = {f"m{n}": text for n, text in enumerate(list(COVERED.values())[45:51])}
NOWHERE = {f"u{n}": text for n, text in enumerate(UNCOVERED[:44])}


@pytest.fixture
def questions(tmp_path) -> Path:
    """Return a set of 45 questions whose best entry answers and 50 without such an entry.

    Of these nothing answers 44; the best entry of 6 is judged not to.
    """
    folder = tmp_path / "sets" / "doors"
    jsonl(folder / "queries.jsonl", RIGHT | MISJUDGED)
    judge(folder, {query_id: (query_id, 1) for query_id in RIGHT})
    judge(folder, {query_id: (f"doors#{n}", 0) for n, query_id in enumerate(MISJUDGED, 46)})
    judge(folder, dict.fromkeys(MISJUDGED, ("doors#1", 2)))
    jsonl(folder / "unanswerable.jsonl", NOWHERE)
    return folder


def learned_of(
    doors: KnowledgeBase, right: list[str], wrong: list[str], costs: Calibration = GENERAL
) -> Fitted:
    """Return what is learned of questions, in this order, on the knowledge base of many doors."""
    found = doors.search_many([*right, *wrong], 1)
    odds = [log_odds(hit.components) for (hit,) in found]
    return fit(odds, [True] * len(right) + [False] * len(wrong), costs)


@pytest.fixture
def expected(doors) -> Fitted:
    """Return what is learned of the set above."""
    return learned_of(doors, [*RIGHT.values()], [*MISJUDGED.values(), *NOWHERE.values()])


def test_calibrate(cli, kb, questions, expected):
    """A set is asked and learned from; what was learned is kept, and said with its errors."""
    output = done(cli("calibrate", questions))
    assert output == (
        "Learned from 45 questions with a right best entry and 50 without one. Expected "
        f"calibration error: {expected.error_before:.3f} before, {expected.error_after:.3f} after "
        "(each fifth corrected by the others).\n"
        f"Answered from a confidence of {GENERAL.answered_from:.0%}, shown as related from "
        f"{GENERAL.related_from:.0%}.\n"
    )
    assert load(kb, ENCODER) == expected.calibration
    assert expected.calibration.slope > 0


def test_calibrate_json(cli, questions, expected):
    """`--json` prints counts, errors and the calibration, and nothing else."""
    fields = json.loads(done(cli("calibrate", questions, "--json")))
    assert fields == asdict(expected)
    assert set(fields) == {"calibration", "right", "wrong", "error_before", "error_after"}
    assert set(fields["calibration"]) == set(asdict(GENERAL))


def test_calibrate_changes_answers(cli, questions, expected):
    """The next answer has the confidence that was learned."""
    before = json.loads(done(cli("ask", QUERY, "--json")))
    done(cli("calibrate", questions))
    after = json.loads(done(cli("ask", QUERY, "--json")))
    general = math.log(before["confidence"] / (1 - before["confidence"]))
    learned = expected.calibration
    confidence = logistic(learned.intercept + learned.slope * general)
    assert after["confidence"] == pytest.approx(confidence, abs=2e-3)  # of four rounded digits
    assert abs(after["confidence"] - before["confidence"]) > 0.02


def test_calibrate_twice(cli, kb, questions):
    """A calibration is learned anew, not upon the last one."""
    done(cli("calibrate", questions))
    first = (kb / CALIBRATION_FILE).read_bytes()
    done(cli("calibrate", questions))
    assert (kb / CALIBRATION_FILE).read_bytes() == first


def test_info_shows_the_calibration(cli, questions, expected):
    """A knowledge base's description holds its calibration, or that it has none."""
    assert json.loads(done(cli("info", "--json")))["calibration"] is None
    done(cli("calibrate", questions))
    fields = json.loads(done(cli("info", "--json")))
    assert fields["calibration"] == asdict(expected.calibration)
    assert f"slope {expected.calibration.slope:.4g}" in done(cli("info"))


def test_a_cost_alone(cli, kb):
    """`--cost` moves the threshold of answers and corrects nothing."""
    output = done(cli("calibrate", "--cost", 3))
    related = f"{GENERAL.related_from:.0%}"
    assert output == f"Answered from a confidence of 75%, shown as related from {related}.\n"
    assert load(kb, ENCODER) == Calibration(wrong_answer_cost=3.0)
    fields = json.loads(done(cli("calibrate", "--cost", "0.1", "--json")))
    assert fields == {"calibration": asdict(Calibration(wrong_answer_cost=0.1))}
    output = done(cli("calibrate", "--cost", "0.1"))
    assert output == "Answered from a confidence of 9%, shown as related from 9%.\n"


def test_a_cost_changes_answers(cli):
    """What is answered at the usual cost is only related at a high one."""
    assert json.loads(done(cli("ask", QUERY, "--json")))["status"] == "answered"
    done(cli("calibrate", "--cost", 1000))
    assert json.loads(done(cli("ask", QUERY, "--json")))["status"] == "related"


def test_a_set_and_a_cost_keep_each_other(cli, kb, questions, expected):
    """A set keeps the cost of before, a cost what a set taught, and both can come together."""
    learned = asdict(expected.calibration)
    done(cli("calibrate", "--cost", 4))
    done(cli("calibrate", questions))
    assert load(kb, ENCODER) == Calibration(**learned | {"wrong_answer_cost": 4.0})
    done(cli("calibrate", "--cost", 5))
    assert load(kb, ENCODER) == Calibration(**learned | {"wrong_answer_cost": 5.0})
    done(cli("calibrate", questions, "--cost", 6))
    assert load(kb, ENCODER) == Calibration(**learned | {"wrong_answer_cost": 6.0})


@pytest.mark.parametrize("cost", ["0.01", "1000", "1e3", " 2 "])
def test_costs_within_bounds(cli, kb, cost):
    """A cost is a number from 0.01 to 1000, both included."""
    done(cli("calibrate", "--cost", cost))
    assert load(kb, ENCODER) == Calibration(wrong_answer_cost=float(cost))


@pytest.mark.parametrize("cost", ["0", "0.0099", "1000.1", "-1", "nan", "inf", "-inf", "two", ""])
def test_costs_out_of_bounds(cli, kb, cost):
    """Any other cost is refused with the bounds, and nothing is kept."""
    status, output, messages = cli("calibrate", f"--cost={cost}")
    assert (status, output) == (2, "")
    assert messages.startswith("usage: policy-qa calibrate")
    assert "give a number from 0.01 to 1000, such as 2\n" in messages
    assert load(kb, ENCODER) is None


def test_reset(cli, kb, questions):
    """`--reset` goes back to general confidence and costs, also where there is nothing to undo."""
    done(cli("calibrate", questions, "--cost", 9))
    assert done(cli("calibrate", "--reset")) == "Back to the general confidence.\n"
    assert load(kb, ENCODER) is None
    assert json.loads(done(cli("calibrate", "--reset", "--json"))) == {"calibration": None}
    assert json.loads(done(cli("info", "--json")))["calibration"] is None


def test_reset_goes_alone(cli, kb, questions):
    """With a set or a cost, `--reset` is refused and undoes nothing."""
    done(cli("calibrate", "--cost", 3))
    for others in ((questions,), ("--cost", 2), (questions, "--cost", 2)):
        message = failed(cli("calibrate", "--reset", *others))
        assert message == "--reset goes alone: calibrate again afterwards."
    assert load(kb, ENCODER) == Calibration(wrong_answer_cost=3.0)


def test_nothing_to_calibrate_by(cli, kb):
    """Without anything, one line says what can be given."""
    message = failed(cli("calibrate"))
    assert message == ("Nothing to calibrate by: name a SET of questions, a --cost, or --reset.")
    assert load(kb, ENCODER) is None


def test_no_knowledge_base(cli, questions, tmp_path):
    """Where there is no knowledge base, none is made."""
    missing = tmp_path / "missing"
    for given_ in ((questions,), ("--cost", 2), ("--reset",)):
        message = failed(cli("calibrate", *given_, "--kb", missing))
        assert message.startswith(f"There is no knowledge base at {missing}. Make one: policy-qa b")
    assert not missing.exists()


def test_a_locked_one(cli, kb, questions):
    """While another process writes, every calibration is refused in one line."""
    with writing(kb):
        for given_ in ((questions,), ("--cost", 2), ("--reset",)):
            message = failed(cli("calibrate", *given_))
            assert message.startswith(f"Another process is writing to the knowledge base at {kb}.")
    assert load(kb, ENCODER) is None


@pytest.mark.parametrize("way_out", ["SET", "--reset"])
def test_out_of_a_damaged_calibration(cli, kb, questions, way_out):
    """Each command that the message of a damaged calibration names does what it says."""
    (kb / CALIBRATION_FILE).write_bytes(b"{")
    assert f"{kb / CALIBRATION_FILE} is damaged" in failed(cli("ask", QUERY))
    assert f"{kb / CALIBRATION_FILE} is damaged" in failed(cli("info"))
    done(cli("calibrate", questions if way_out == "SET" else way_out))
    assert (load(kb, ENCODER) is None) == (way_out == "--reset")
    assert json.loads(done(cli("ask", QUERY, "--json")))["entry"]["id"] == "doors#7"


# --- the set that it learns from ----------------------------------------------------------------


def test_only_the_tuning_half(cli, questions, expected):
    """Of a set with halves only the tuning half is learned from."""
    for file in ("queries.jsonl", "unanswerable.jsonl"):
        lines = (questions / file).read_text(encoding="utf-8").splitlines()
        tuned = [json.dumps(json.loads(line) | {"split": "tune"}) for line in lines]
        (questions / file).write_text("\n".join(tuned) + "\n", encoding="utf-8")
    judge(questions, {"r1": ("doors#50", 1), "r2": ("doors#51", 1)})
    jsonl(questions / "queries.jsonl", {"r1": "What is this?"}, "report")
    jsonl(questions / "queries.jsonl", {"r2": "Which one?"})
    jsonl(questions / "unanswerable.jsonl", {"r3": QUERY}, "report")
    assert json.loads(done(cli("calibrate", questions, "--json"))) == asdict(expected)


def test_all_of_a_set_without_a_tuning_half(cli, questions, doors):
    """Of a set without a tuning half every question is learned from, whatever its split."""
    jsonl(questions / "unanswerable.jsonl", {"u100": "Which one?"}, "report")
    fields = json.loads(done(cli("calibrate", questions, "--json")))
    wrong = [*MISJUDGED.values(), *NOWHERE.values(), "Which one?"]
    assert fields == asdict(learned_of(doors, [*RIGHT.values()], wrong))
    assert fields["wrong"] == 51


def test_a_set_that_is_too_small(cli, kb, questions):
    """A set with too few questions of a kind is refused with both counts, and nothing is kept."""
    (questions / "unanswerable.jsonl").unlink()
    message = failed(cli("calibrate", questions, "--cost", 2))
    assert message.startswith("A calibration needs 40 questions whose best entry answers and 40 ")
    assert "the set has 45 and 6. Add questions" in message
    assert load(kb, ENCODER) is None


def test_a_set_with_its_own_corpus(cli, kb, questions):
    """A set about a corpus of its own is refused, for it says nothing about the knowledge base."""
    for entry_id, question in COVERED.items():
        with (questions / "corpus.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"_id": entry_id, "title": question, "text": "there"}) + "\n")
    message = failed(cli("calibrate", questions))
    assert message.startswith(
        f"{questions}: a set with a corpus of its own says nothing about {kb}"
    )
    assert load(kb, ENCODER) is None


def test_judgments_of_unknown_entries(cli, kb, questions):
    """A judgment of an entry that the knowledge base lacks is named with its file and line."""
    judge(questions, {"doors#1": ("doors#99", 1)})
    message = failed(cli("calibrate", questions))
    line = len((questions / "qrels.tsv").read_text(encoding="utf-8").splitlines())
    assert message.startswith(f"{questions / 'qrels.tsv'}:{line}: the knowledge base has no entry ")
    assert "'doors#99'" in message
    assert load(kb, ENCODER) is None


def test_a_question_that_cannot_be_asked(cli, questions):
    """A question that cannot be asked is named with its file and line before any is asked."""
    jsonl(questions / "unanswerable.jsonl", {"u100": "?!"})
    message = failed(cli("calibrate", questions))
    assert message.startswith(f"{questions / 'unanswerable.jsonl'}:45: query 'u100' cannot be aske")


def test_no_set(cli, tmp_path):
    """A folder that is no set is refused with the file that it lacks."""
    message = failed(cli("calibrate", tmp_path / "none"))
    assert message.startswith(f"{tmp_path / 'none' / 'queries.jsonl'}: no such file")


# --- the background that lift is above ----------------------------------------------------------


def test_background_by_hand(monkeypatch):
    """The background is the mean likeness of everyday questions to the passages nearest to them.

    The letters of 一, a, b are 0, 1, 2 modulo 4. For ranking, "ab" = (0, 1, 1, 0)/√2 loses half of
    its centre (0, 1, 0, 0) and is nearest to (0, 3, 0, 0); "b" to (2, 0, 0, 2), as 一 is. To judge,
    they lose all of it: "ab" is (0, 1 - √2, 1, 0)/√(4 - 2√2), whose cosine is -sin 22.5°; "b" is
    (0, -1, 1, 0)/√2, whose cosine is 0; that of 一 is 1/√2.
    """
    monkeypatch.setattr(centring, "_generic_questions", lambda: {"zh": ["一"], "en": ["ab", "b"]})
    passages = np.array([[0, 3, 0, 0], [2, 0, 0, 2]], np.float32)
    ranked = []

    def nearest(query):
        ranked.append(query)
        return passages[np.argmax(passages @ query)]

    queries = np.array([[0, 0, 0, 0], [0, 1, 0, 0]], np.float32)
    centres = Centres(queries, np.zeros_like(queries), np.zeros(2, np.float32))
    found = centres.against(LetterEncoder(dim=4), nearest)
    expected = [math.sqrt(0.5), -math.sin(math.radians(22.5)) / 2]
    assert found.background.tolist() == pytest.approx(expected, abs=1e-6)
    assert found.background.dtype == np.float32
    assert ranked[2].tolist() == pytest.approx([0, -1 / math.sqrt(5), 2 / math.sqrt(5), 0])
    assert (found.queries is centres.queries, found.passages is centres.passages) == (True, True)


def test_centres_come_back(tmp_path):
    """What is saved of the centres is opened to the last bit, the background too."""
    generator = np.random.default_rng(0)
    queries, passages = generator.normal(size=(2, 2, 8)).astype(np.float32)
    saved = Centres(queries, passages, np.array([0.1, -0.2], np.float32))
    saved.save(tmp_path / CENTRES_FILE)
    opened = Centres.open(tmp_path / CENTRES_FILE)
    for name in ("queries", "passages", "background"):
        before, after = getattr(saved, name), getattr(opened, name)
        assert (after.dtype, after.tolist()) == (before.dtype, before.tolist())


def test_centres_without_passages():
    """Before there are passages the background is zero."""
    assert Centres.of(LetterEncoder(dim=4)).background.tolist() == [0, 0]


def test_a_build_keeps_the_background(template):
    """A built knowledge base holds the background of its own passages."""
    folder = generation_folder(template, 1)
    centres, dense = Centres.open(folder / CENTRES_FILE), DenseIndex.open(folder / DENSE_FILE)
    again = centres.against(LetterEncoder(), dense.nearest).background
    assert centres.background.tolist() == pytest.approx(again.tolist(), abs=2e-3)  # float16 kept
    assert (centres.background > 0).all()


@pytest.mark.parametrize(("query", "language"), [(QUERY, "en"), ("那個門在哪裡", "zh")])
def test_lift_is_above_the_background(doors, template, query, language):
    """The lift of every hit is its likeness less the background of the query's language."""
    centres = Centres.open(generation_folder(template, 1) / CENTRES_FILE)
    background = float(centres.background[LANGUAGES.index(language)])
    hits = doors.search(query, 3)
    assert len(hits) == 3
    for hit in hits:
        assert hit.components["lift"] == pytest.approx(hit.components["likeness"] - background)


# --- what always holds --------------------------------------------------------------------------

finite = st.floats(allow_nan=False, allow_infinity=False)
costs = st.floats(1e-3, 1e6)
signals = {
    "lift": st.floats(-2, 2),
    "share": st.floats(0, 1),
    "translated": st.floats(0, 1),
    "entry_translated": st.floats(0, 1),
    "across": st.sampled_from([0.0, 1.0]),
}
components = st.fixed_dictionaries(signals)


@given(
    st.fixed_dictionaries(dict.fromkeys(signals, finite)), st.builds(Calibration, finite, finite)
)
def test_confidence_is_a_probability(anything, calibration):
    """Whatever finite numbers a hit and a calibration hold, confidence is from 0 to 1."""
    assert 0 <= GENERAL.confidence(anything) <= 1
    assert 0 <= calibration.confidence(anything) <= 1


@given(components, st.sampled_from(list(signals)), st.data(), st.floats(0, 50), st.floats(-50, 50))
def test_confidence_never_falls_with_a_signal(hit, name, data, slope, intercept):
    """More of one signal, the others equal, never makes an answer less probable."""
    other = hit | {name: data.draw(signals[name])}
    less, more = sorted([hit, other], key=lambda found: found[name])
    for calibration in (GENERAL, Calibration(slope=slope, intercept=intercept)):
        assert calibration.confidence(less) <= calibration.confidence(more)


@given(components)
def test_only_translations_between_languages_count(hit):
    """What the passage's own language calls a word by a lexicon's rule makes no answer surer."""
    alike = hit | {"across": 0.0}
    assert GENERAL.confidence(alike) == GENERAL.confidence(alike | {"translated": 0.0})
    assert GENERAL.confidence(alike) == GENERAL.confidence(hit | {"across": 1.0, "translated": 0.0})


def test_a_translation_counts():
    """A passage in another language that holds the words is surer to answer."""
    hit = {"lift": 0.1, "share": 0.5, "translated": 0.0, "across": 1.0}
    assert GENERAL.confidence(hit | {"translated": 0.5}) > GENERAL.confidence(hit)


@pytest.mark.parametrize(
    ("log_odds", "confidence"),
    [(-1e308, 0), (-1e4, 0), (-745, 0), (-37, math.exp(-37)), (0, 0.5), (745, 1), (1e308, 1)],
)
def test_huge_log_odds(log_odds, confidence):
    """Log odds of any size have a probability, next to 0 and 1 that of the limit."""
    sure = Calibration(slope=0.0, intercept=log_odds)
    found = sure.confidence(dict.fromkeys(signals, 0.5))
    assert found == pytest.approx(confidence, rel=1e-9, abs=1e-300)


@given(st.builds(Calibration, wrong_answer_cost=costs, wrong_hint_cost=costs), st.floats(0, 1))
def test_an_answer_is_given_where_it_is_worth_it(calibration, probability):
    """An answer is given as such where what it is worth covers what it costs if wrong."""
    gain = probability - (1 - probability) * calibration.wrong_answer_cost
    if abs(gain) > 1e-6:
        assert (calibration.status(probability) == "answered") == (gain > 0)
    assert 0 < calibration.related_from <= calibration.answered_from < 1


def test_the_general_costs():
    """A calibration that nobody made has the costs of the settings and corrects nothing."""
    assert Calibration() == Calibration(1.0, 0.0, WRONG_ANSWER_COST, WRONG_HINT_COST)


words = st.lists(
    st.sampled_from([*WORDS, "where", "is", "the", "door", "behind", "門", "2"]), min_size=1
)


@settings(deadline=None, max_examples=50)
@given(words.map(" ".join))
def test_shares_sum_to_one(doors, query):
    """The shares of the first entries sum to 1 and fall with the rank."""
    hits = doors.search(query[:200], SHARED_AMONG)
    shares = [hit.components["share"] for hit in hits]
    assert len(hits) == SHARED_AMONG
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    assert shares == sorted(shares, reverse=True)
    assert min(shares) >= 0


@settings(deadline=None, max_examples=50)
@given(words.map(" ".join), st.integers(1, 30))
def test_a_share_does_not_depend_on_top_k(doors, query, top_k):
    """However many entries are asked for, a hit has the same share and the same confidence."""
    hits = doors.search(query[:200], top_k)
    assert hits == doors.search(query[:200], 30)[:top_k]
    assert GENERAL.confidence(hits[0].components) == doors.ask(query[:200]).confidence


def test_shares_of_few_entries(tmp_path):
    """The shares of fewer entries sum to 1 as well; that of a single one is 1."""
    with build(tmp_path / "kb") as three:
        assert sum(hit.components["share"] for hit in three.search("Who pays?", 9)) == (
            pytest.approx(1, abs=1e-6)
        )
    with build(tmp_path / "one", Document("a.txt", "Where may I park?\nThere.\n")) as one:
        assert one.search("Who pays?")[0].components["share"] == 1
