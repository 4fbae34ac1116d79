"""What an index of passages does, wherever it stands.

`DenseIndex` and `LexicalIndex` do it in this process, `engines` on a server.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from policy_qa.translation import Term, Translation
from policy_qa.types import Filters, Ranking

Rows = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


class Dense(Protocol):
    """Passage rows by their vectors. The score is the inner product."""

    def __len__(self) -> int: ...

    def allowed(self, filters: Filters, rows: Callable[[Filters], Sequence[int] | Rows]) -> Any:
        """Return what `search` takes as `allowed` for filters.

        Args:
            filters: Which documents to look at.
            rows: Returns the rows that pass them, for an index that does not know.
        """

    def search(
        self, queries: Vectors, k: int, allowed: Any = None, without: Rows | None = None
    ) -> list[Ranking]:
        """Return the `k` nearest rows of each `(q, dim) float32` query.

        Args:
            queries: Unit rows.
            k: At most so many rows for each.
            allowed: As `allowed` returned it; None for all rows.
            without: Rows that are not to be found; None for none.
        """

    def vectors(self, rows: Sequence[int] | Rows) -> Vectors:
        """Return the `(len(rows), dim) float32` vectors of these rows."""


class Lexical(Protocol):
    """Passage rows, or entries, by their tokens; scores as of `lexical`."""

    def __len__(self) -> int: ...

    def search(
        self,
        tokens: Sequence[str],
        k: int,
        filters: Filters | None = None,
        without: Rows | None = None,
    ) -> Ranking:
        """Return at most `k` rows that hold a token, only in documents that pass the filters."""

    def scores(self, tokens: Sequence[str], rows: Rows) -> Ranking:
        """Return the scores of those of these rows that hold a token."""

    def search_translation(
        self,
        translation: Translation,
        k: int,
        filters: Filters | None = None,
        without: Rows | None = None,
    ) -> Ranking:
        """Return at most `k` rows that hold a term of a translation."""

    def translation_scores(self, translation: Translation, rows: Rows) -> Ranking:
        """Return the scores, as of `search_translation`, of those of these rows that have one."""

    def word_weight(self, terms: tuple[Term, ...]) -> float:
        """Return the weight of a word of a query: the fewer rows hold a term of it, the more."""

    def holds(self, word: str) -> bool:
        """Whether some row holds a word; of a long one, all its parts."""

    def inverse_document_frequency(self, token: str) -> float:
        """Return ln(1 + (N - n + 0.5) / (n + 0.5)); largest for a token that occurs nowhere."""


def nothing_to_close() -> None:
    """Close what stands in this process: nothing."""


@dataclass(frozen=True, slots=True)
class Indexes:
    """The indexes of one generation.

    Attributes:
        dense: Of passages.
        lexical: Of passages.
        entry_lexical: Of whole entries, by their numbers.
        close: Leaves the place where they stand.
    """

    dense: Dense
    lexical: Lexical
    entry_lexical: Lexical
    close: Callable[[], None] = nothing_to_close
