"""What a set is searched in: a knowledge base as it is, and one without the questions.

The knowledge base of a set's own corpus stands in the user's cache folder under the digests of the
corpus and of the encoder, and is built again only if the program that builds it has changed.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import policy_qa
from policy_qa.build import build_generation, text_recipe
from policy_qa.confidence import Calibration
from policy_qa.errors import KnowledgeBaseError, LockedError
from policy_qa.evaluation.files import write_whole
from policy_qa.evaluation.records import Record, digest, parsed
from policy_qa.evaluation.runs import entry_name, record_name
from policy_qa.filling import Source
from policy_qa.indexing import Progress
from policy_qa.knowledge_base import KnowledgeBase
from policy_qa.storage import current_generation, generation_folder, writing
from policy_qa.types import Encoder, Hit, Reranker

NO_ANSWERS = "its entries hold no answer beside the question: the questions are not left out"
NO_QUESTIONS = "its entries have no question: there is none to leave out"

_STAMP = "built-by.txt"
_BUILDING = (
    "bm25.py",
    "build.py",
    "centring.py",
    "coarse.py",
    "corpus.py",
    "csv_tables.py",
    "dates.py",
    "dense.py",
    "dictionary.py",
    "encoders/carrier.py",
    "engines/address.py",
    "engines/collections.py",
    "engines/connection.py",
    "engines/indexes.py",
    "engines/owned.py",
    "engines/tidying.py",
    "engines/vocabulary.py",
    "engines/writing.py",
    "entries.py",
    "errors.py",
    "evaluation/records.py",
    "exchange/files.py",
    "facts.py",
    "filling.py",
    "folding.py",
    "forward_index.py",
    "generic_questions.txt",
    "identity.py",
    "index_protocols.py",
    "indexing.py",
    "layouts.py",
    "lexical.py",
    "lexicon.py",
    "lines.py",
    "numbering.py",
    "opening.py",
    "passages.py",
    "patterns.py",
    "patterns.toml",
    "quantities.py",
    "readers/cells.py",
    "readers/encodings.py",
    "readers/fields.py",
    "readers/files.py",
    "reindexing.py",
    "room.py",
    "settings.py",
    "storage.py",
    "store.py",
    "tokens.py",
    "translation.py",
    "types.py",
    "vector_cache.py",
    "vector_file.py",
)
"""What an index depends on: what `build` imports, with what that imports, and what turns a record
into a document. The encoder is not among them: the cache folder's name holds its identity."""


@dataclass(frozen=True, slots=True)
class Searched:
    """Where the queries of a set are asked.

    Attributes:
        whole: The knowledge base as it is used.
        answers_only: One whose indexes hold no question; None if that says nothing.
        why: Why there is none.
        texts: Of all entries, by what qrels call them.
        name: What qrels call a hit.
        digest: Equal for the same entries.
    """

    whole: KnowledgeBase
    answers_only: KnowledgeBase | None
    why: str
    texts: Mapping[str, str]
    name: Callable[[Hit], str]
    digest: str

    @property
    def encoder(self) -> str:
        """All that decides the figures beside program and set, joined by ` + `.

        The encoder's identity, the reranker's if there is one, and digests of the corpus's lexicon
        and of the knowledge base's own calibration if it has them.
        """
        parts = [self.whole.encoder.identity]
        if self.whole.reranker is not None:
            parts.append(self.whole.reranker.identity)
        if rules := self.whole.rules():
            # Where a rule stands decides nothing.
            parts.append(f"lexicon {digest({**asdict(rule), 'source': ''} for rule in rules)[:8]}")
        if self.whole.calibration != Calibration():
            parts.append(f"calibration {digest([asdict(self.whole.calibration)])[:8]}")
        return " + ".join(parts)


def corpus_digest(corpus: Mapping[str, Record]) -> str:
    """Return a digest that is equal for equal records, in whatever order."""
    return digest(sorted((r.id, r.title, r.text, r.group) for r in corpus.values()))


@contextmanager
def of_knowledge_base(
    knowledge_base: KnowledgeBase, progress: Progress | None = None
) -> Iterator[Searched]:
    """Give an open knowledge base, and the same documents with no question indexed."""
    documents = [knowledge_base.document(name) for name, _ in knowledge_base.documents()]
    texts = {
        entry.id: document.text[entry.span.start : entry.span.end]
        for document in documents
        for entry in knowledge_base.entries(document.id)
    }
    entries = knowledge_base.entries()
    why = ""
    if not any(entry.answer for entry in entries):
        why = NO_ANSWERS
    elif not any(entry.question or entry.path for entry in entries):
        why = NO_QUESTIONS
    with ExitStack() as stack:
        answers_only = None
        if not why:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="policy-qa-"))
            encoder = knowledge_base.encoder
            KnowledgeBase.build(
                documents,
                folder,
                model=encoder,
                rules=knowledge_base.rules(),
                index_questions=False,
                progress=progress,
            ).close()
            answers_only = stack.enter_context(
                KnowledgeBase.open(folder, model=encoder, reranker=knowledge_base.reranker)
            )
            answers_only.calibration = knowledge_base.calibration
        yield Searched(
            knowledge_base, answers_only, why, texts, entry_name, digest(sorted(texts.items()))
        )


@contextmanager
def of_corpus(
    corpus: Mapping[str, Record],
    encoder: Encoder,
    progress: Progress | None = None,
    reranker: Reranker | None = None,
) -> Iterator[Searched]:
    """Give knowledge bases of a set's own corpus, with and without its titles.

    Raises:
        StorageError: The cache folder cannot be written.
    """
    why = ""
    if not any(record.answers for record in corpus.values()):
        why = NO_ANSWERS
    elif not any(record.title for record in corpus.values()):
        why = NO_QUESTIONS
    with ExitStack() as stack:
        cached = partial(_cached, corpus, encoder, progress, reranker)
        whole = stack.enter_context(cached(questions=True))
        answers_only = stack.enter_context(cached(questions=False)) if not why else None
        texts = {record.id: record.whole for record in corpus.values()}
        yield Searched(whole, answers_only, why, texts, record_name, corpus_digest(corpus))


def _cached(
    corpus: Mapping[str, Record],
    encoder: Encoder,
    progress: Progress | None,
    reranker: Reranker | None,
    *,
    questions: bool,
) -> KnowledgeBase:
    """Open the knowledge base of a corpus in the cache folder; build it if it is not as it was."""
    name = f"{corpus_digest(corpus)}-{digest([encoder.identity])[:8]}"
    path = _cache() / (name if questions else f"{name}-answers")
    stamp = f"{_program()}\n"
    if path.joinpath(_STAMP).is_file() and path.joinpath(_STAMP).read_text() == stamp:
        try:
            return KnowledgeBase.open(path, model=encoder, reranker=reranker)
        except KnowledgeBaseError:
            pass  # half removed or written by another version: it is only a cache
    build_generation(
        [parsed(record) for record in corpus.values()],
        path,
        encoder,
        Source("an evaluation set", encoder.identity, index_questions=questions),
        progress=progress,
    )
    write_whole(path / _STAMP, stamp, "knowledge base of the set")
    _remove_older(path)
    return KnowledgeBase.open(path, model=encoder, reranker=reranker)


def _remove_older(path: Path) -> None:
    """Keep one generation only; if another process is writing, it will do so."""
    with contextlib.suppress(LockedError), writing(path):
        current = generation_folder(path, current_generation(path))
        for folder in current.parent.iterdir():
            if folder != current:
                shutil.rmtree(folder, ignore_errors=True)


def _cache() -> Path:
    from platformdirs import user_cache_path  # noqa: PLC0415 (only an evaluation needs it)

    return user_cache_path("policy-qa") / "evaluation"


def _program() -> str:
    """Return a digest of the source of whatever an index depends on."""
    home = Path(policy_qa.__file__).parent
    texts = (home.joinpath(name).read_text(encoding="utf-8") for name in _BUILDING)
    return digest([text_recipe(), *texts])
