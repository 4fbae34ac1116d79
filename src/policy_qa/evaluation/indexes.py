"""What a set is searched in: a knowledge base as it is, and one without the questions.

The knowledge base of a set's own corpus stands in the user's cache folder under the digest of the
corpus, and is built again only if the program that builds it has changed.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import policy_qa
from policy_qa.build import Progress, build_generation, text_recipe
from policy_qa.errors import KnowledgeBaseError
from policy_qa.evaluation.files import write_whole
from policy_qa.evaluation.records import Record, digest, parsed
from policy_qa.evaluation.runs import entry_name, record_name
from policy_qa.knowledge_base import KnowledgeBase
from policy_qa.types import Encoder, Hit, Reranker

NO_ANSWERS = "its entries hold no answer beside the question: the questions are not left out"
NO_QUESTIONS = "its entries have no question: there is none to leave out"

_STAMP = "built-by.txt"
_NOT_BUILDING = (
    "evaluation",
    "cli.py",
    "cli_evaluation.py",
    "page.py",
    "output.py",
    "reranker.py",
)
"""Parts of the package that no index depends on."""


@dataclass(frozen=True, slots=True)
class Indexes:
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
        """The encoder's identity, and the reranker's if there is one."""
        encoder, reranker = self.whole.encoder, self.whole.reranker
        return encoder.identity if reranker is None else f"{encoder.identity} + {reranker.identity}"


def corpus_digest(corpus: Mapping[str, Record]) -> str:
    """Return a digest that is equal for equal records, in whatever order."""
    return digest(sorted((r.id, r.title, r.text, r.group) for r in corpus.values()))


@contextmanager
def of_knowledge_base(
    knowledge_base: KnowledgeBase, progress: Progress | None = None
) -> Iterator[Indexes]:
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
        yield Indexes(
            knowledge_base, answers_only, why, texts, entry_name, digest(sorted(texts.items()))
        )


@contextmanager
def of_corpus(
    corpus: Mapping[str, Record],
    encoder: Encoder,
    progress: Progress | None = None,
    reranker: Reranker | None = None,
) -> Iterator[Indexes]:
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
        yield Indexes(whole, answers_only, why, texts, record_name, corpus_digest(corpus))


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
        corpus="an evaluation set",
        model=encoder.identity,
        index_questions=questions,
        progress=progress,
    )
    write_whole(path / _STAMP, stamp, "knowledge base of the set")
    return KnowledgeBase.open(path, model=encoder, reranker=reranker)


def _cache() -> Path:
    from platformdirs import user_cache_path  # noqa: PLC0415 (only an evaluation needs it)

    return user_cache_path("policy-qa") / "evaluation"


def _program() -> str:
    """Return a digest of the source of whatever an index depends on."""
    home = Path(policy_qa.__file__).parent
    files = sorted(
        file
        for file in home.rglob("*")
        if file.suffix in (".py", ".txt") and file.relative_to(home).parts[0] not in _NOT_BUILDING
    )
    return digest([text_recipe(), *(file.read_text(encoding="utf-8") for file in files)])
