"""Re-ranking by a cross-encoder, and what happens without one."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from fake_evaluations import make_hit
from fakes import RETURNS, LetterEncoder, build
from hypothesis import given
from hypothesis import strategies as st

from policy_qa import Document, EncoderError, Filters, KnowledgeBase
from policy_qa.cli import main
from policy_qa.evaluation import indexes
from policy_qa.evaluation.results import read_result
from policy_qa.reranker import load_reranker, rerank
from policy_qa.settings import RERANKED

LETTERS = "abcdefghijkl"
MANY = Document(
    "many.txt", "".join(f"{n}. What is {c * n}?\nIt is a {c}.\n" for n, c in enumerate(LETTERS, 1))
)


class Told:
    """Scores a text by a function of it, and keeps what it was asked."""

    identity = "told-1"

    def __init__(self, score: Callable[[str], float]) -> None:
        self.score = score
        self.asked: list[tuple[str, list[str]]] = []

    def scores(self, query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return `(len(texts),) float32`."""
        self.asked.append((query, list(texts)))
        return np.array([self.score(text) for text in texts], np.float32)


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the place of a knowledge base of twelve entries and two others."""
    path = tmp_path_factory.mktemp("kb") / "kb"
    build(path, MANY, RETURNS).close()
    return path


def opened(kb: Path, reranker: Told | None = None) -> KnowledgeBase:
    """Open a knowledge base, with or without a reranker."""
    return KnowledgeBase.open(kb, model=LetterEncoder(), reranker=reranker)


# --- the order ----------------------------------------------------------------------------------


def test_the_first_ten_change_places(kb):
    """The first ten entries stand in the reranker's order, the others where they stood."""
    with opened(kb) as plain:
        before = plain.search("What is a?", 14)
    places = {hit.question: hit.rank for hit in before}
    with opened(kb, Told(lambda text: places[text.split("\n")[0]])) as reranked:
        after = reranked.search("What is a?", 14)
    assert len(before) == 14
    assert [hit.entry for hit in after] == [
        hit.entry for hit in (*reversed(before[:RERANKED]), *before[RERANKED:])
    ]
    assert [hit.rank for hit in after] == list(range(1, 15))
    rest = [(hit.rank, hit.entry.id, hit.score / 2) for hit in before[RERANKED:]]
    assert [(hit.rank, hit.entry.id, hit.score) for hit in after[RERANKED:]] == rest


def test_scores_by_hand(kb):
    """A re-ranked hit has half of 1 plus the logistic of its score; what it had is a component.

    Its share is that of the hit which had its rank.
    """
    with opened(kb) as plain, opened(kb, Told(lambda text: "a d." in text)) as reranked:
        ranked = plain.search("What is it, a d?", RERANKED)
        before = {hit.entry.id: hit for hit in ranked}
        first, second, *_ = reranked.search("What is it, a d?", RERANKED)
    assert first.entry.id == "many#4"
    assert (first.score, second.score) == pytest.approx(((1 + 1 / (1 + np.exp(-1))) / 2, 0.75))
    for hit, at_its_rank in ((first, ranked[0]), (second, ranked[1])):
        old = before[hit.entry.id]
        added = {"fused": old.score, "reranker": float(hit is first)}
        added["share"] = at_its_rank.components["share"]
        assert hit.components == {**old.components, **added}
        assert (hit.passage, hit.question) == (old.passage, old.question)


def test_few_are_chosen_among_ten(kb):
    """Fewer than ten are cut from ten that were re-ranked."""
    reranker = Told(lambda text: text.count("j"))
    with opened(kb, reranker) as knowledge_base:
        query = "What is a?"
        assert knowledge_base.search(query, 2) == knowledge_base.search(query, RERANKED)[:2]
    assert [len(texts) for _, texts in reranker.asked] == [RERANKED, RERANKED]


@given(
    st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=RERANKED, max_size=RERANKED),
    st.integers(0, 12),
)
def test_order_and_scores_agree(scores, count):
    """Whatever the scores, the list descends by them, holds each hit once and counts from 1."""
    hits = [make_hit(n, f"d#{n}", 1.0000001 - n // 12) for n in range(1, count + 1)]
    given_out = iter(scores)
    found = rerank(Told(lambda _: next(given_out)), "q", hits)
    assert [hit.rank for hit in found] == list(range(1, count + 1))
    assert {hit.entry.id for hit in found} == {hit.entry.id for hit in hits}
    ordered = [hit.score for hit in found]
    assert ordered == sorted(ordered, reverse=True)
    judged = [hit.components["reranker"] for hit in found[:RERANKED]]
    assert judged == sorted(judged, reverse=True)


def test_ties_stay_as_they_were(kb):
    """Entries of equal scores keep the order of the fused scores."""
    with opened(kb) as plain, opened(kb, Told(lambda _: 7)) as reranked:
        assert [hit.entry for hit in reranked.search("What is a?", 14)] == [
            hit.entry for hit in plain.search("What is a?", 14)
        ]


def test_what_a_reranker_reads(tmp_path):
    """It reads the query as typed, and the question with the best passage; each text once."""
    documents = (RETURNS, Document("notes.txt", "Ｂｏｘ for 退貨 in the hall.\n"))
    build(tmp_path, *documents).close()
    reranker = Told(len)
    with opened(tmp_path, reranker) as knowledge_base:
        hits = {hit.entry.id: hit for hit in knowledge_base.search("Ｂｏｘ for 退貨\ud800")}
        knowledge_base.search("Who pays for the parcel?")
    (query, texts), (_, others) = reranker.asked
    assert query == "Ｂｏｘ for 退貨 "
    passage = hits["shop/returns#1"].passage.text
    assert set(texts) >= {"Ｂｏｘ for 退貨 in the hall.", f"May I return shoes?\n{passage}"}
    assert "Who pays for the parcel?" in others


def test_a_reranker_reads_what_pinyin_means(tmp_path):
    """It reads the Chinese of a query in pinyin, and of any other query what was typed."""
    shop = Document("shop.txt", "一、怎麼退款?\n七天內可以退款。\n二、誰付運費?\n賣家付運費。\n")
    build(tmp_path / "kb", shop).close()
    reranker = Told(len)
    with opened(tmp_path / "kb", reranker) as knowledge_base:
        knowledge_base.search("Zenme tuikuan")
        knowledge_base.ask("Zenme tuikuan")
        knowledge_base.search_many(["zenme tuikuan", "怎麼退款", "Refund"])
    assert [query for query, _ in reranker.asked] == [*["怎么退款"] * 3, "怎麼退款", "Refund"]


@pytest.mark.parametrize("top_k", [1, 5, 14])
def test_shares_stay_with_the_ranks(kb, top_k):
    """However the entries change places, the shares are those of a search without it, in order."""
    with opened(kb) as plain, opened(kb, Told(len)) as reranked:
        before, after = (one.search("What is a?", top_k) for one in (plain, reranked))
    assert [hit.entry.id for hit in before] != [hit.entry.id for hit in after]
    assert [hit.components["share"] for hit in after] == [hit.components["share"] for hit in before]
    others = {"lift", "likeness", "across", "translated", "dense", "lexical"}
    own = {hit.entry.id: {name: hit.components[name] for name in others} for hit in before}
    for hit in after:
        if hit.entry.id in own:
            assert {name: hit.components[name] for name in others} == own[hit.entry.id]


def test_search_many_is_search(kb):
    """Queries searched together get the hits that each gets alone."""
    with opened(kb, Told(lambda text: text.count("i"))) as knowledge_base:
        queries = ["What is a?", "May I return shoes?"]
        found = knowledge_base.search_many(queries, 3)
        assert found == [knowledge_base.search(query, 3) for query in queries]
        assert knowledge_base.search_many([]) == []


def test_an_answer_is_of_the_entry_that_comes_first_now(kb):
    """Entry, quotes and confidence of an answer are those of the re-ranked first entry."""
    with opened(kb, Told(lambda text: "parcel" in text)) as knowledge_base:
        answer = knowledge_base.ask("May I return the shoes? Who pays?")
        best = answer.hits[0]
        assert best.entry.id == "shop/returns#2"
        assert answer.confidence == knowledge_base.calibration.confidence(best.components)
        assert {citation.entry_id for citation in answer.conclusion} <= {"shop/returns#2"}
    with opened(kb) as plain:
        assert plain.ask("May I return the shoes? Who pays?").hits[0].entry.id == "shop/returns#1"


def test_filters_come_first(kb):
    """Only what passes the filters is re-ranked."""
    reranker = Told(len)
    with opened(kb, reranker) as knowledge_base:
        hits = knowledge_base.search("What is a?", 9, Filters(documents=(RETURNS.id,)))
    assert sorted(hit.entry.id for hit in hits) == ["shop/returns#1", "shop/returns#2"]
    assert [len(texts) for _, texts in reranker.asked] == [2]
    assert rerank(reranker, "q", []) == []


@pytest.mark.parametrize("scores", [[1.0], [[1.0], [2.0]], [1.0, np.nan], [np.inf, 1.0]], ids=repr)
def test_scores_that_rank_nothing(scores):
    """Scores of another number, or that are none, are refused in one line."""

    class Wrong(Told):
        def scores(self, query, texts):
            return np.array(scores, np.float32)

    with pytest.raises(EncoderError, match=r"^The reranker told-1 gave scores") as caught:
        rerank(Wrong(len), "q", [make_hit(1, "d#1", 0.5), make_hit(2, "d#2", 0.4)])
    assert "\n" not in str(caught.value)


def test_without_a_reranker_nothing_is_imported(kb):
    """Who has no reranker imports neither the module nor what it needs."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from fakes import LetterEncoder\n"
        "from policy_qa import KnowledgeBase\n"
        f"with KnowledgeBase.open({str(kb)!r}, model=LetterEncoder()) as kb: kb.ask('What is a?')\n"
        "print([m for m in ('policy_qa.reranker', 'sentence_transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# --- the command line ---------------------------------------------------------------------------


@pytest.fixture
def cli(capsys, monkeypatch, tmp_path):
    """Run a command with a reranker that likes the letter b; return (status, output, messages)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(indexes, "_cache", lambda: tmp_path / "cache")
    monkeypatch.setattr("policy_qa.knowledge_base.load_encoder", lambda *_: LetterEncoder())
    monkeypatch.setattr("policy_qa.encoders.load_encoder", lambda *_: LetterEncoder())

    def run(*arguments: object) -> tuple[int, str, str]:
        return main([*map(str, arguments)]), *capsys.readouterr()

    return run


@pytest.fixture
def likes_b(monkeypatch):
    """Make every named reranker one that likes the letter b."""
    load = {"b": Told(lambda text: text.count("b"))}.__getitem__
    monkeypatch.setattr("policy_qa.reranker.load_reranker", load)


@pytest.mark.usefixtures("likes_b")
def test_ask_and_search(cli, kb):
    """`ask` and `search` re-rank with the reranker that is named, and only then."""
    options = ("What is aa?", "--kb", kb, "--model", "letters", "--json")
    plain, hits = (
        json.loads(cli("search", *options, *extra)[1]) for extra in ((), ("--reranker", "b"))
    )
    assert "reranker" not in plain[0]["components"]
    assert plain[0]["entry"]["id"] == "many#1"
    assert (hits[0]["entry"]["id"], hits[0]["components"]["reranker"]) == ("many#2", 2)
    answer = json.loads(cli("ask", *options, "--reranker", "b")[1])
    entries = [answer["entry"], *(hit["entry"] for hit in answer["related"])]
    assert next(entry["id"] for entry in entries if entry) == "many#2"


def jsonl(path: Path, *lines: dict[str, str]) -> None:
    """Write JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.mark.usefixtures("likes_b")
def test_eval(cli, kb, tmp_path):
    """Both kinds of sets are re-ranked in every run, and their results name the reranker."""
    own, beir = tmp_path / "own", tmp_path / "beir"
    for folder, entry in ((own, "many#2"), (beir, "d2")):
        jsonl(folder / "queries.jsonl", {"_id": "q1", "id": "q1", "text": "What is aaaa?"})
        (folder / "qrels.tsv").write_text(f"q1\t{entry}\t1\n", encoding="utf-8")
    titles = (
        {"_id": "d1", "title": "a?", "text": "aaaa"},
        {"_id": "d2", "title": "b?", "text": "bb"},
    )
    jsonl(beir / "corpus.jsonl", *titles)
    for extra, tops, identity in (
        ((), {"many#1", "d1"}, "letters-1"),
        (("--reranker", "b"), {"many#2", "d2"}, "letters-1 + told-1"),
    ):
        status, *_ = cli("eval", own, beir, "--kb", kb, "--model", "letters", *extra)
        every = [read_result(file) for file in Path("eval/results").iterdir()]
        results = [result for result in every if result.encoder == identity]
        assert (status, len(results)) == (0, 2)
        assert len(every) == (4 if extra else 2)
        runs = [run for result in results for run in result.runs]
        assert len(runs) == 4
        assert {run.covered[0].top for run in runs} == tops


@pytest.mark.parametrize("command", [("search", "What is a?"), ("eval", "own")])
def test_a_reranker_that_is_none(cli, kb, tmp_path, command):
    """A reranker that cannot be loaded is a mistake of one line."""
    jsonl(tmp_path / "own" / "queries.jsonl", {"id": "q1", "text": "What is aaaa?"})
    (tmp_path / "own" / "qrels.tsv").write_text("q1\tmany#2\t1\n", encoding="utf-8")
    for name in ("./none", ""):
        status, output, messages = cli(*command, "--kb", kb, "--model", "x", "--reranker", name)
        assert (status, output) == (2, "")
        assert messages == (
            f"policy-qa: Cannot load the reranker {name!r}: there is no such folder. Give a "
            "cross-encoder's folder, or leave --reranker out.\n"
        )


# --- a real cross-encoder -----------------------------------------------------------------------

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz?.退款貨"]
TEXTS = ["What is a?\nIt is a.", "Who pays?", "退貨?\n" + "退款" * 500]


def transformer(folder: Path, architecture: str, **options: object) -> Path:
    """Save a tiny transformer with random weights and a tokenizer of letters."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({p: n for n, p in enumerate(PIECES)}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(piece, PIECES.index(piece)) for piece in ("[CLS]", "[SEP]")],
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=64,
    ).save_pretrained(folder)
    torch.manual_seed(1)
    sizes = transformers.BertConfig(
        vocab_size=len(PIECES),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=64,
        initializer_range=1.0,
        **options,
    )
    getattr(transformers, architecture)(sizes).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a tiny cross-encoder with random weights."""
    from sentence_transformers import CrossEncoder

    source = tmp_path_factory.mktemp("cross-encoder")
    transformer(source, "BertForSequenceClassification", num_labels=1)
    folder = source / "tiny"
    CrossEncoder(str(source), device="cpu").save(str(folder))
    return folder


def test_scores_are_the_models_own(tiny):
    """Scores are the cross-encoder's before any logistic, for each text as if it were alone."""
    from sentence_transformers import CrossEncoder
    from torch.nn import Identity

    reranker = load_reranker(str(tiny))
    scores = reranker.scores("What is a?", TEXTS)
    assert (scores.shape, scores.dtype) == ((3,), np.float32)
    alone = [reranker.scores("What is a?", [text])[0] for text in TEXTS]
    assert scores == pytest.approx(alone, abs=1e-5)
    model = CrossEncoder(str(tiny), device="cpu")
    own = model.predict([("What is a?", text) for text in TEXTS], activation_fn=Identity())
    assert scores == pytest.approx(own, abs=1e-5)
    assert np.ptp(scores) > 1e-3
    empty = reranker.scores("What is a?", [])
    assert (empty.shape, empty.dtype) == ((0,), np.float32)


@pytest.mark.parametrize("saved_by", ["sentence-transformers", "transformers"])
def test_a_knowledge_base_with_a_cross_encoder(kb, tiny, saved_by):
    """A cross-encoder named by its folder puts the first ten in the order of its scores."""
    folder = tiny if saved_by == "sentence-transformers" else tiny.parent
    reranker = load_reranker(str(folder))
    with KnowledgeBase.open(kb, model=LetterEncoder(), reranker=str(folder)) as knowledge_base:
        hits = knowledge_base.search("What is a?", RERANKED)
        answer = knowledge_base.ask("What is a?")
    texts = [
        hit.question if hit.passage.is_question else f"{hit.question}\n{hit.passage.text}"
        for hit in hits
    ]
    scores = reranker.scores("What is a?", texts)
    assert scores == pytest.approx([hit.components["reranker"] for hit in hits], abs=1e-5)
    assert (np.diff(scores) <= 1e-5).all()
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert answer.hits == tuple(hits[:5])


def test_eight_threads(tiny):
    """Eight threads get the scores that one gets."""
    reranker = load_reranker(str(tiny))
    alone = reranker.scores("退款?", TEXTS)
    with ThreadPoolExecutor(8) as threads:
        for scores in threads.map(lambda _: reranker.scores("退款?", TEXTS), range(32)):
            assert scores == pytest.approx(alone, abs=1e-6)


def test_threads_are_bounded(tiny):
    """A cross-encoder takes as many threads as an encoder."""
    import torch

    from policy_qa.settings import ENCODER_THREADS

    torch.set_num_threads(1)
    load_reranker(str(tiny))
    assert torch.get_num_threads() == ENCODER_THREADS


def test_identity(tiny, tmp_path):
    """The same files have one identity wherever they are; any other weight is another."""
    from safetensors.numpy import load_file, save_file

    identity = load_reranker(str(tiny)).identity
    assert identity.startswith("cross-encoder:tiny:")
    for name in ("", "classifier.bias", "bert.pooler.dense.bias"):
        copy = shutil.copytree(tiny, tmp_path / (name or "same") / "tiny")
        weights = load_file(copy / "model.safetensors")
        if name:
            weights[name] = weights[name] + 1
        save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
        assert (load_reranker(str(copy)).identity == identity) == (not name)


def failed(name: object) -> str:
    """Return why a reranker was refused, in one line that says what to do."""
    with pytest.raises(EncoderError) as caught:
        load_reranker(str(name))
    before, after = f"Cannot load the reranker '{name}': ", "leave --reranker out."
    message = str(caught.value)
    assert message.startswith(before)
    assert message.endswith(f". Give a cross-encoder's folder, or {after}")
    assert "\n" not in message
    return message.removeprefix(before)


@pytest.mark.parametrize("architecture", ["BertModel", "BertForMaskedLM", "sentence-transformers"])
def test_models_of_another_kind(tmp_path, architecture):
    """A model that would score by random numbers is refused."""
    folder = tmp_path / "model"
    if architecture == "sentence-transformers":
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

        source = transformer(tmp_path / "source", "BertModel")
        parts = [Transformer(str(source)), Pooling(8, "mean")]
        SentenceTransformer(modules=parts, device="cpu").save(str(folder))
    else:
        transformer(folder, architecture)
    assert failed(folder).startswith("it is a model of another kind, not a cross-encoder.")


def test_a_model_of_classes(tmp_path):
    """A model that gives several scores for a pair is refused."""
    folder = transformer(tmp_path, "BertForSequenceClassification", num_labels=3)
    assert failed(folder).startswith("it sorts into 3 classes; one score is needed.")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_damaged_folder(tiny, tmp_path, name):
    """A truncated file is named."""
    file = shutil.copytree(tiny, tmp_path / "tiny") / name
    file.write_bytes(file.read_bytes()[:-9])
    assert failed(file.parent).startswith(f"its file {file} is damaged")


def test_places_that_hold_none(tmp_path):
    """An empty folder, a file and no folder at all are told apart."""
    (tmp_path / "a.txt").touch()
    assert failed(tmp_path).startswith("the folder holds no cross-encoder (no config.json).")
    assert failed(tmp_path / "a.txt").startswith("it is a file, not a folder.")
    assert failed(tmp_path / "none").startswith("there is no such folder.")


def test_a_name_that_is_nowhere(monkeypatch):
    """A name that is not on disk is refused where the model hub is out of reach."""
    import huggingface_hub

    def unreachable() -> None:
        raise ConnectionError

    monkeypatch.setattr(huggingface_hub, "get_session", unreachable)
    assert failed("no/such-reranker").startswith(
        "it is neither a folder nor downloaded, and the model hub cannot be reached."
    )
