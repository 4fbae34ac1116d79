"""Gaps: the grouping exactly, with vectors made by hand, and the table that comes of it."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_qa import gaps
from policy_qa.csv_tables import inert
from policy_qa.encoders import load_encoder
from policy_qa.errors import QueryError
from policy_qa.folding import fold
from policy_qa.gaps import ALIKE_FROM, MOST_QUERIES, Gap, gaps_csv, group, is_covered, still_open
from policy_qa.query_log import Logged
from policy_qa.types import Answer, Status, Vectors


class Topics:
    """Encodes a text by the letters a to f in it, each an axis; any other text as a seventh."""

    identity = "topics"
    dim = 7

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Return the counts of the letters, to unit length."""
        self.encoded += texts
        vectors = np.zeros((len(texts), self.dim), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            if set(text) <= set("abcdef0123456789 "):
                vector[:6] = [text.count(letter) for letter in "abcdef"]
            vector[6] = not vector.any()
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return the same as for queries."""
        return self.encode_queries(texts)


def test_queries_of_one_meaning_are_one_gap_and_the_most_asked_comes_first() -> None:
    """Wordings of a meaning come together; gaps stand by how often they were asked."""
    found = group(["a", "b", "bbbbc", "b", "c", "bbbbbb"], Topics())
    assert found == [
        Gap("b", (("b", 2), ("bbbbc", 1), ("bbbbbb", 1)), 4),
        Gap("a", (("a", 1),), 1),
        Gap("c", (("c", 1),), 1),
    ]


def test_queries_that_fold_to_the_same_text_are_one_wording() -> None:
    """Script, width, case and spaces make no wording; the form asked most often is shown."""
    queries = ["退貨  運費", "退货 运费", "Ａ", "a", "退貨 運費", " ", "", "a\n"]
    found = group(queries, Topics())
    assert [(gap.queries, gap.times) for gap in found] == [
        ((("退貨 運費", 2 + 1),), 3),
        ((("a", 2 + 1),), 3),
    ]


def test_no_queries_make_no_gaps_and_load_no_encoder() -> None:
    """Nothing asked is no gap."""
    encoder = Topics()
    assert group([], encoder) == group([" ", "\u200b"], encoder) == []
    assert not encoder.encoded


def test_the_typical_wording_is_the_nearest_to_the_mean() -> None:
    """What lies between the others speaks for them."""
    (gap,) = group(["aaab", "aabb", "abbb"], Topics())
    assert gap.query == "aabb"
    assert gap.queries == (("aaab", 1), ("aabb", 1), ("abbb", 1))


def test_of_two_wordings_the_first_or_the_most_asked_is_typical() -> None:
    """Two wordings are equally near to their mean, unless one was asked more often."""
    assert [gap.query for gap in group(["aaab", "aaa"], Topics())] == ["aaab"]
    assert [gap.query for gap in group(["aaab", "aaa", "aaa"], Topics())] == ["aaa"]


def test_only_the_newest_queries_count() -> None:
    """Of too many queries the first, which are the newest, are grouped."""
    (gap,) = group(["a"] * MOST_QUERIES + ["b"], Topics())
    assert gap == Gap("a", (("a", MOST_QUERIES),), MOST_QUERIES)


def test_queries_without_anything_of_their_own_stay_alone() -> None:
    """What is just like everyday questions has no direction, and is like nothing."""
    found = group(["x", "y"], Topics())
    assert [gap.query for gap in found] == ["x", "y"]


@settings(deadline=None)  # the first one loads OpenCC
@given(st.lists(st.text("abcdef0 ", max_size=6), max_size=30))
def test_every_query_is_in_one_gap(queries: list[str]) -> None:
    """Nothing is lost, nothing counts twice, and grouping again gives the same."""
    found = group(queries, Topics())
    asked = Counter(" ".join(fold(query).split()) for query in queries)
    del asked[""]
    assert Counter(dict(pair for gap in found for pair in gap.queries)) == asked
    assert [gap.times for gap in found] == sorted((gap.times for gap in found), reverse=True)
    assert all(gap.times == sum(times for _, times in gap.queries) for gap in found)
    assert all(gap.query in dict(gap.queries) for gap in found)
    assert group(queries, Topics()) == found


def by_the_book(vectors: Vectors) -> list[list[int]]:
    """Return the clusters of average linkage, by looking at every pair of them at every step."""
    clusters = [[row] for row in range(len(vectors))]
    while len(clusters) > 1:
        cosine, one, other = max(
            (float(np.mean(vectors[one] @ vectors[other].T)), one, other)
            for one, other in combinations(clusters, 2)
        )
        if cosine < ALIKE_FROM:
            break
        clusters = [c for c in clusters if c not in (one, other)] + [sorted(one + other)]
    return sorted(clusters)


@pytest.mark.parametrize("seed", range(20))
def test_chains_find_the_clusters_of_average_linkage(seed: int) -> None:
    """The quick way and the way of the textbook give the same clusters."""
    random = np.random.default_rng(seed)
    topics = random.normal(size=(6, 16))
    vectors = topics[random.integers(6, size=40)] + random.normal(size=(40, 16))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    found = gaps._clusters(vectors)
    assert found == by_the_book(vectors)
    assert 1 < len(found) < 40


def test_equal_vectors_are_one_cluster() -> None:
    """Ties of every pair do not lead in circles."""
    vectors = np.full((300, 3), 1 / np.sqrt(3), np.float32)
    assert gaps._clusters(vectors) == [list(range(300))]


def test_the_real_encoder_groups_paraphrases() -> None:
    """Wordings of a question come together in each language, other questions stay apart."""
    queries = [
        "How do I change my delivery address?",
        "can i change the delivery address of my order",
        "你們可以開發票嗎？",
        "商品可以开发票吗",
        "請問商品可以開發票嗎",
        "Do you have a shop in Berlin?",
        "優惠券過期了還能用嗎",
    ]
    found = group(queries, load_encoder())
    assert [sorted(queries.index(wording) for wording, _ in gap.queries) for gap in found] == [
        [2, 3, 4],
        [0, 1],
        [5],
        [6],
    ]


def rows(table: str) -> list[list[str]]:
    """Read a CSV."""
    return list(csv.reader(io.StringIO(table.removeprefix("\ufeff"), newline="")))


def test_the_table_has_a_row_for_each_gap() -> None:
    """The table is CSV with a byte order mark, the other wordings in one cell, no answer yet."""
    found = [
        Gap("可以開發票嗎", (("開發票", 2), ("可以開發票嗎", 1), ("發票, 抬頭", 1)), 4),
        Gap('say "no"', (('say "no"', 1),), 1),
    ]
    assert gaps_csv(found) == (
        "\ufeffquestion,alternates,times,answer\r\n"
        '可以開發票嗎,"開發票 | 發票, 抬頭",4,\r\n'
        '"say ""no""",,1,\r\n'
    )
    assert gaps_csv([], header=("問題", "=A", "次數", "答案")) == "\ufeff問題,'=A,次數,答案\r\n"


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t1",
        "\r1",
        "  =1",
        "\u3000＝1",
        "＋1",
        "－1",
        "＠1",
        "\n=1",
    ],
)
def test_what_begins_a_formula_gets_an_apostrophe(cell: str) -> None:
    """No spreadsheet runs what somebody asked."""
    assert inert(cell) == f"'{cell}"
    table = gaps_csv([Gap(cell, ((cell, 1), (f"{cell}1", 1)), 2)])
    assert rows(table)[1] == [f"'{cell}", f"'{cell}1", "2", ""]


@pytest.mark.parametrize("cell", ["", "1-1", "退貨=退款嗎", "a@b", "'=1", " 1", "−1"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    """Only the beginning makes a formula."""
    assert inert(cell) == cell


@given(st.text())
def test_an_inert_cell_stays_as_it_is(cell: str) -> None:
    """Doing it twice changes nothing, and nothing of a cell is lost."""
    assert inert(inert(cell)) == inert(cell)
    assert inert(cell).endswith(cell)


wordings = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(st.lists(st.tuples(wordings, wordings), max_size=5))
def test_the_table_reads_back(pairs: list[tuple[str, str]]) -> None:
    """Whatever was asked, the table has its cells, and none that begins a formula."""
    found = [Gap(one, ((one, 2), (other, 1)), 3) for one, other in pairs if one != other]
    cells = rows(gaps_csv(found))[1:]
    assert cells == [[inert(gap.query), inert(gap.queries[1][0]), "3", ""] for gap in found]
    assert all(cell.lstrip()[:1] not in set("=+-@＝＋－＠") - {""} for row in cells for cell in row)


def test_a_question_that_is_covered_by_now_is_no_gap() -> None:
    """Each wording is asked again once; an answer that was found useless stays one."""
    asked: list[str] = []

    def ask(query: str) -> Answer:
        asked.append(query)
        if query == "?":
            raise QueryError("has no letter")
        status: Status = "related" if query == "new" else "not_covered"
        return Answer(query, status, 0.5, None, "", (), (), ())

    def logged(number: int, query: str, status: Status = "not_covered") -> Logged:
        return Logged(number, date(2026, 1, 1), query, status, 0.1, "", useful=None)

    log = [logged(5, "new"), logged(4, "gap"), logged(3, "poor", "answered"), logged(2, "gap")]
    left = still_open([*log, logged(1, "?")], lambda query: is_covered(query, ask))
    assert left == ["gap", "poor", "gap", "?"]
    assert sorted(asked) == ["?", "gap", "new"]
