"""What people asked and the sources do not cover, grouped by meaning, most asked first.

The groups go to whoever writes the next entries, as a table to fill in.
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from policy_qa.centring import LANGUAGES, Centres, language
from policy_qa.csv_tables import inert
from policy_qa.errors import QueryError
from policy_qa.folding import fold
from policy_qa.query_log import Logged
from policy_qa.types import Answer, Encoder, Vectors

ALIKE_FROM: Final = 0.55
"""Mean cosine from which two clusters are one. A wrong wording in a group costs its reader more
than a group more, so precision counts: the share of the pairs of one group that ask the same.
Recall is the share of the pairs that ask the same, in one language, that are in one group.

|                                                      | .50      | .55      | .60      |
|------------------------------------------------------|----------|----------|----------|
| covidfaq, 240 queries, the same entry                | .59, .55 | .73, .51 | .77, .42 |
| hint3_sofmattress, 250 queries, the same wide intent | .93, .11 | .94, .09 | .95, .08 |
| seed, tuning half, 151 queries, the same fact        | .76, .10 | .82, .08 | .90, .05 |
| the same among 92 queries that nothing answers       | .63, .13 | .71, .08 | .83, .06 |
| seed, reporting half, with as many                   | .80, .20 | .80, .15 | .95, .13 |

The seed asks of one fact in words as far apart as possible, so little of it is found. An entry of
the seed has many facts: of its pairs .01 to .02 are found. Pinyin was left out. Queries in two
languages hardly ever come together."""

EVERYDAY_WEIGHT: Final = 50
"""How many questions the mean of everyday questions counts for beside the queries themselves,
language by language: few queries tell what they have in common from what they ask no better than
that mean does. As many as it is made of. With it, with four times as much, with that mean alone,
and with nothing taken off, each with the threshold that is best for it, recall (as above) on
hint3_sofmattress at a precision of .9 is .16, .15, .08, .07, on covidfaq at .7 it is .52, .48, .43,
.41, on the seed's tuning half among queries that nothing answers at .7 it is .08, .12, .12, .07."""

MOST_QUERIES: Final = 5_000
"""Queries that are grouped. Their likenesses take 100 MB, and as much again while they are made."""

_SEPARATOR: Final = " | "


@dataclass(frozen=True, slots=True)
class Gap:
    """Queries that ask the same.

    Attributes:
        query: The most typical wording: nearest to the mean of the queries.
        queries: Every wording, that one included, with how many times it was asked; most asked
            first, then in the order of the queries.
        times: How many times it was asked in all.
    """

    query: str
    queries: tuple[tuple[str, int], ...]
    times: int


def still_open(logged: Sequence[Logged], covers: Callable[[str], bool]) -> list[str]:
    """Return the queries of a log that got no useful answer and would get none now, in their order.

    One that was not covered is asked again, once however often it is there; one whose answer was
    found useless stays, for nobody has said that it is better now.

    Args:
        logged: The questions.
        covers: Whether a question is covered, as `is_covered` tells.
    """
    asked = {one.query for one in logged if one.status == "not_covered"}
    covered = {query for query in asked if covers(query)}
    return [one.query for one in logged if one.status != "not_covered" or one.query not in covered]


def is_covered(query: str, ask: Callable[[str], Answer]) -> bool:
    """Whether a knowledge base covers a question; one that cannot be asked is not covered."""
    try:
        return ask(query).status != "not_covered"
    except QueryError:  # of what another version, or nobody, would ask
        return False


def group(queries: Sequence[str], encoder: Encoder) -> list[Gap]:
    """Group queries by meaning.

    Args:
        queries: As they were asked, the newest first: of more than `MOST_QUERIES` the first count.
            Queries that fold to the same text are one wording, shown as it was asked most often.
        encoder: Of the queries; any.

    Returns:
        The groups, most asked first, ties in the order of the queries. A query that is like no
        other is a group by itself.

    Raises:
        EncoderError: If the encoder cannot be loaded.
    """
    asked: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for query in queries[:MOST_QUERIES]:
        shown = " ".join(query.split())
        if folded := " ".join(fold(shown).split()):
            asked[folded][shown] += 1
    if not asked:
        return []
    wordings = [(forms.most_common(1)[0][0], forms.total()) for forms in asked.values()]
    vectors = _centred([*asked], encoder)
    gaps = [_gap(vectors, wordings, members) for members in _clusters(vectors)]
    return sorted(gaps, key=lambda gap: -gap.times)


def _centred(folded: Sequence[str], encoder: Encoder) -> Vectors:
    """Return `(len(folded), dim) float32`, unit rows: without what all of a language share."""
    vectors = encoder.encode_queries(folded)
    everyday = Centres.of(encoder).queries
    numbers = np.array([LANGUAGES.index(language(text)) for text in folded])
    centred = np.empty_like(vectors)
    for number in np.unique(numbers):
        of_language = vectors[numbers == number]
        total = EVERYDAY_WEIGHT * everyday[number] + of_language.sum(axis=0)
        centred[numbers == number] = of_language - total / (EVERYDAY_WEIGHT + len(of_language))
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(centred / np.where(lengths > 0, lengths, 1), np.float32)


def _clusters(vectors: Vectors) -> list[list[int]]:
    """Return the rows of each cluster, ascending; the clusters by their first rows.

    Average linkage: the two clusters whose rows have the highest mean cosine become one, as long
    as it is `ALIKE_FROM`. Nearest-neighbour chains (Murtagh, Computer Journal 26, 1983) find the
    same clusters in O(n²): from any cluster go to the nearest, from there to its nearest, until two
    are each other's. A cluster with none near enough stays as it is.
    """
    alike = _likenesses(vectors)
    members = [[row] for row in range(len(vectors))]
    for start in range(len(vectors)):
        # What is not done has a number of `start` or more, for of two clusters the later one grows.
        chain = [start] if members[start] else []
        while chain:
            last = chain[-1]
            nearest = int(alike[last].argmax())
            if alike[last, nearest] < ALIKE_FROM:
                chain.pop()
            elif len(chain) > 1 and alike[last, chain[-2]] >= alike[last, nearest]:
                first, second = sorted((chain.pop(), chain.pop()))
                _join(alike, first, second, len(members[first]), len(members[second]))
                members[second] += members[first]
                members[first] = []
            else:
                chain.append(nearest)
    return sorted(sorted(rows) for rows in members if rows)


def _likenesses(vectors: Vectors) -> npt.NDArray[np.float32]:
    """Return `(n, n) float32` cosines, symmetric to the last bit; nothing is like itself."""
    cosines = vectors @ vectors.T
    alike = np.asarray(np.minimum(cosines, cosines.T), np.float32)
    np.fill_diagonal(alike, -np.inf)
    return alike


def _join(alike: npt.NDArray[np.float32], gone: int, kept: int, n_gone: int, n_kept: int) -> None:
    """Make a cluster's likenesses those of two clusters of so many rows; the other has none."""
    alike[kept] = (n_gone * alike[gone] + n_kept * alike[kept]) / (n_gone + n_kept)
    alike[:, kept] = alike[kept]
    alike[gone] = alike[:, gone] = -np.inf


def _gap(vectors: Vectors, wordings: Sequence[tuple[str, int]], rows: Sequence[int]) -> Gap:
    times = np.array([wordings[row][1] for row in rows])
    mean = times @ vectors[rows]
    # rounded, so that of two wordings the one asked first is shown whatever the last bits say
    typical = rows[int(np.round(vectors[rows] @ mean / times.sum(), 4).argmax())]
    by_times = sorted((wordings[row] for row in rows), key=lambda wording: -wording[1])
    return Gap(wordings[typical][0], tuple(by_times), int(times.sum()))


def gaps_csv(
    gaps: Sequence[Gap],
    *,
    header: Sequence[str] = ("question", "alternates", "times", "answer"),
) -> str:
    """Return gaps as CSV (RFC 4180), a row each, with an empty answer to fill in.

    It begins with a byte order mark, without which Excel misreads Chinese, and no cell runs as a
    formula. The other wordings stand in one cell, between bars.

    Args:
        gaps: In the order wanted.
        header: What the four columns are called.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow([inert(name) for name in header])
    for gap in gaps:
        others = _SEPARATOR.join(wording for wording, _ in gap.queries if wording != gap.query)
        writer.writerow([inert(gap.query), inert(others), gap.times, ""])
    return f"\ufeff{table.getvalue()}"
