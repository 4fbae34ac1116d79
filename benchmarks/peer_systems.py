"""One system of `peers.py`, in a process of its own: `python peer_systems.py NAME FOLDER`.

Indexes what lies in the folder, says how long that took, and then for each line that it reads asks
every query once and prints the milliseconds of each. It imports nothing of this project, for the
others' environment does not have it.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FOUND = 10
"""Passages that are returned."""


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    tokens = (folder / "tokens.txt").read_text(encoding="utf-8").splitlines()
    queries = json.loads((folder / "queries.json").read_text(encoding="utf-8"))
    wanted = np.load(folder / "queries.npy")
    start = time.perf_counter()
    search = SYSTEMS[name](folder, vectors, tokens)
    seconds = time.perf_counter() - start
    asked = [*zip(queries, wanted, strict=True)]
    found = [search(*asked[0]), search(*asked[0])][1]
    if len(found) != FOUND:
        raise SystemExit(f"{name} found {len(found)} passages.")
    print(json.dumps({"index_s": round(seconds, 1)}), flush=True)
    for line in sys.stdin:
        taken = []
        for query in asked[: int(line)]:
            start = time.perf_counter()
            search(*query)
            taken.append(1000 * (time.perf_counter() - start))
        print(json.dumps(taken), flush=True)


Search = Callable[[str, Any], list[Any]]


def faiss_and_tantivy(_: Path, vectors: Any, tokens: list[str]) -> Search:
    """A bare FAISS HNSW32 and a bare tantivy; the best 100 of each, fused by reciprocal rank."""
    import faiss
    import tantivy

    faiss.omp_set_num_threads(2)
    index = faiss.IndexHNSWFlat(vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    index.add(np.array(vectors))
    index.hnsw.efSearch = 128
    faiss.omp_set_num_threads(1)
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("row", stored=True)
    builder.add_text_field("tokens", tokenizer_name="whitespace", index_option="freq")
    words = tantivy.Index(builder.build())
    writer = words.writer(64 * 2**20, 1)
    for row, text in enumerate(tokens):
        document = tantivy.Document(tokens=text)
        document.add_unsigned("row", row)
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    words.reload()
    schema, searcher = words.schema, words.searcher()
    of = tantivy.Query

    def search(query: str, vector: Any) -> list[Any]:
        _, (near,) = index.search(vector[None], 100)
        terms = [
            (tantivy.Occur.Should, of.term_query(schema, "tokens", token, "freq"))
            for token in {*query.split()}
        ]
        hits = searcher.search(of.boolean_query(terms), limit=100, count=False).hits
        held = [searcher.doc(address)["row"][0] for _, address in hits]
        return fused(near.tolist(), held)

    return search


def fused(*rankings: list[int]) -> list[int]:
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, row in enumerate(ranking):
            scores[row] = scores.get(row, 0.0) + 1 / (60 + rank)
    return sorted(scores, key=lambda row: -scores[row])[:FOUND]


def lancedb(folder: Path, vectors: Any, tokens: list[str]) -> Search:
    """LanceDB: vectors by HNSW in 8 bits, words split at blanks, its own fusion."""
    import lancedb as lance
    import pyarrow as pa

    database = lance.connect(folder / "lancedb")
    flat = pa.array(np.ascontiguousarray(vectors).ravel())
    columns = {
        "row": pa.array(range(len(tokens))),
        "text": pa.array(tokens),
        "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
    }
    table = database.create_table("passages", pa.table(columns))
    table.create_index(metric="dot", index_type="IVF_HNSW_SQ", num_partitions=1)
    table.create_fts_index(
        "text", base_tokenizer="whitespace", stem=False, remove_stop_words=False, lower_case=False
    )

    def search(query: str, vector: Any) -> list[Any]:
        asked = table.search(query_type="hybrid").vector(vector).text(query)
        return list(asked.limit(FOUND).select(["row"]).to_list())

    return search


def txtai(_: Path, vectors: Any, tokens: list[str]) -> Search:
    """txtai: its FAISS index, its BM25, its hybrid search; words split at blanks.

    As it comes, it drops every word that is not of Latin letters.
    """
    from txtai import Embeddings

    known = {text: vectors[row] for row, text in enumerate(tokens)}
    embeddings = Embeddings(
        method="external",
        transform=lambda texts: np.array([known[text] for text in texts]),
        scoring={
            "method": "bm25",
            "terms": True,
            "normalize": True,
            "tokenizer": {"regexp": r"\S+", "lowercase": False, "emoji": False},
        },
        content=False,
    )
    embeddings.index((row, text, None) for row, text in enumerate(tokens))

    def search(query: str, vector: Any) -> list[Any]:
        known[query] = vector
        return list(embeddings.search(query, FOUND))

    return search


def haystack(_: Path, vectors: Any, tokens: list[str]) -> Search:
    """Haystack in memory, words split at blanks; both retrievers, joined by reciprocal rank."""
    from haystack import Document
    from haystack.components.joiners import DocumentJoiner
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore(
        bm25_tokenization_regex=r"\S+", embedding_similarity_function="dot_product"
    )
    store.write_documents(
        [
            Document(id=str(row), content=text, embedding=vectors[row].tolist())
            for row, text in enumerate(tokens)
        ]
    )
    joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=FOUND)

    def search(query: str, vector: Any) -> list[Any]:
        held = store.bm25_retrieval(query, top_k=100)
        near = store.embedding_retrieval(vector.tolist(), top_k=100)
        return list(joiner.run([held, near])["documents"])

    return search


SYSTEMS: dict[str, Callable[[Path, Any, list[str]], Search]] = {
    "FAISS HNSW32 + tantivy": faiss_and_tantivy,
    "LanceDB": lancedb,
    "txtai": txtai,
    "Haystack": haystack,
}


if __name__ == "__main__":
    main()
