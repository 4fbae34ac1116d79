"""How cost grows with size: `python benchmarks/scale.py [PASSAGES …]`, or `--full` to a million.

Each size is built and measured in processes of its own, in a folder that is removed. What the
corpus and its vectors are, `scale_corpus` says. Queries leave the encoder out: what is measured is
all of `Retriever.search`, from a query's vector to hits with their passages and entries, and in the
same rounds a bare FAISS HNSW32 and a bare tantivy, on the same vectors and tokens, one after the
other and neither fused nor looked up. Wall time is what a user waits; processor time is what holds
on a busy machine. Writes `benchmarks/results/scale.json`, `scale.md` and `scale.svg`.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scale_corpus import DistilledEncoder, documents, questions

from policy_qa import KnowledgeBase, lexical
from policy_qa.keeping import synchronise
from policy_qa.settings import CANDIDATES
from policy_qa.storage import VECTORS_FILE, generation_folder, read_manifest
from policy_qa.tokens import tokens

SHORT, FULL = (1_000, 10_000), (1_000, 10_000, 100_000, 1_000_000)
RESULTS = Path(__file__).parent / "results"
QUERIES = 100
_PASSAGES_OF_AN_ENTRY = 3.84


class TimedEncoder(DistilledEncoder):
    """Counts the processor time that encoding takes."""

    seconds = 0.0

    def encode_passages(self, texts: Sequence[str]) -> Any:
        """Return `(len(texts), 384) float32`, unit rows."""
        start = time.process_time()
        try:
            return super().encode_passages(texts)
        finally:
            self.seconds += time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("passages", nargs="*", type=int, help="sizes")
    parser.add_argument("--full", action="store_true", help="1,000 to 1,000,000")
    parser.add_argument("--index", default="auto", help="kind of the coarse index")
    parser.add_argument("--within", type=Path, help="folder for the knowledge bases")
    parser.add_argument("--step", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        step, folder = options.step
        print(json.dumps(STEPS[step](Path(folder), *options.passages, options.index)))
        return
    sizes = options.passages or (FULL if options.full else SHORT)
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=options.within) as folder:
            row = {"passages": size}
            for step in STEPS:
                row |= _step(step, folder, size, options.index)
            rows.append(row)
            print(json.dumps(row), flush=True)
    write(sorted(rows, key=lambda row: int(row["passages"])))


def _step(step: str, folder: str, size: int, index: str) -> dict[str, Any]:
    command = [sys.executable, __file__, str(size), "--step", step, folder, "--index", index]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return dict(json.loads(output.splitlines()[-1]))


def build(folder: Path, size: int, index: str) -> dict[str, Any]:
    corpus = folder / "corpus"
    for document in documents(round(size / _PASSAGES_OF_AN_ENTRY)):
        file = corpus / document.id
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(document.text, encoding="utf-8")
    encoder = TimedEncoder()
    encoder.encode_passages(["warm"])
    wall, start = time.perf_counter(), time.process_time()
    encoder.seconds = 0.0
    built = KnowledgeBase.build(corpus, folder / "kb", model=encoder, index=index)
    seconds, wall = time.process_time() - start, time.perf_counter() - wall
    manifest = built.manifest
    built.close()
    return {
        "passages": manifest.passages,
        "entries": manifest.entries,
        "index": manifest.index,
        "build_cpu_s": round(seconds - encoder.seconds, 2),
        "build_wall_s": round(wall, 2),
        "disk_mb": round(sum(size for size, _ in manifest.files.values()) / 1e6, 1),
        "cache_mb": round((folder / "kb" / VECTORS_FILE).stat().st_size / 1e6, 1),
        "build_rss_mb": _resident("VmHWM"),
    }


def measure(folder: Path, _: int, __: str) -> dict[str, Any]:
    path, encoder = folder / "kb", DistilledEncoder()
    encoder.encode_queries(["warm"])
    before = _resident("VmRSS"), _resident("RssAnon")
    KnowledgeBase.open(path, model=encoder).close()  # what is imported once
    opened, _ = _laps(lambda: KnowledgeBase.open(path, model=encoder).close())
    with KnowledgeBase.open(path, model=encoder) as kb:
        retriever = kb._retriever
        encoded = kb._encoded(questions()[:QUERIES])
        day = np.datetime64("2026-11-28").item()
        _timed(lambda query: retriever.search(query, 5, None, day), encoded)
        own = _timed(lambda query: retriever.search(query, 5, None, day), encoded)
        resident = _resident("VmRSS"), _resident("RssAnon")
        dense = retriever._dense
        exact = [dense.search(q.vector[None], 10, exactly=True)[0].scores[-1] for q in encoded]
        quick = [dense.search(q.vector[None], 10)[0].scores for q in encoded]
        recall = float(
            np.mean([(np.array(s) >= e).mean() for s, e in zip(quick, exact, strict=True)])
        )
        words = _words_recall(retriever._lexical, encoded)
        yardstick = _Yardstick(path)
        bare: list[list[float]] = [[], []]
        own = [[], []]
        for _ in range(3):  # in turn, so that the machine's load is the same for both
            for found, work in (
                (bare, yardstick.search),
                (own, lambda query: retriever.search(query, 5, None, day)),
            ):
                for kept, more in zip(found, _timed(work, encoded), strict=True):
                    kept.extend(more)
        many = (questions() * 2)[:1_000]
        batch, _ = _timed(lambda _: kb.search_many(many), [0])
    names = ("p50", 50), ("p95", 95)
    return {
        "open_ms": round(opened, 1),
        "batch_s": round(batch[0] / 1000, 2),
        "rss_mb": resident[0] - before[0],
        "rss_anonymous_mb": resident[1] - before[1],
        "recall": round(recall, 4),
        "words_recall": round(words, 4),
        **{f"{name}_ms": round(float(np.percentile(own[0], q)), 2) for name, q in names},
        **{f"{name}_cpu_ms": round(float(np.percentile(own[1], q)), 2) for name, q in names},
        **{f"bare_{name}_ms": round(float(np.percentile(bare[0], q)), 2) for name, q in names},
        **{f"bare_{name}_cpu_ms": round(float(np.percentile(bare[1], q)), 2) for name, q in names},
    }


def update(folder: Path, _: int, __: str) -> dict[str, Any]:
    path, encoder = folder / "kb", DistilledEncoder()
    encoder.encode_passages(["warm"])
    encoder.encode_queries(["warm"])
    file = min((folder / "corpus").rglob("*.txt"))
    laps, processor = [], []
    for lap in range(3):
        text = file.read_text(encoding="utf-8")
        head, _, rest = text.partition("\n2. ")
        file.write_text(f"{head.rstrip('。')}，第{lap}次修訂。\n2. {rest}", encoding="utf-8")
        start, busy = time.perf_counter(), time.process_time()
        synchronise(path, model=encoder)
        with KnowledgeBase.open(path, model=encoder) as kb:
            kb.search(f"第{lap}次修訂")
        laps.append(time.perf_counter() - start)
        processor.append(time.process_time() - busy)
    return {
        "update_ms": round(1000 * min(laps)),
        "update_cpu_ms": round(1000 * min(processor)),
        "anew": read_manifest(path).generation > 1
        and not (generation_folder(path, read_manifest(path).generation) / "changes.npy").exists(),
    }


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "build": build,
    "measure": measure,
    "update": update,
}


def _words_recall(index: Any, queries: Sequence[Any]) -> float:
    """Return how many of the ten best by all words the telling ones find, on average."""

    def found() -> list[Any]:
        return [index.search(query.tokens, CANDIDATES).rows[:10] for query in queries]

    quick, kept = found(), lexical.FLAT_UP_TO
    lexical.FLAT_UP_TO = sys.maxsize
    try:
        exact = found()
    finally:
        lexical.FLAT_UP_TO = kept
    pairs = zip(quick, exact, strict=True)
    return float(np.mean([np.isin(best, rows).mean() for rows, best in pairs if len(best)]))


class _Yardstick:
    """A bare FAISS HNSW32 and a bare tantivy index."""

    def __init__(self, path: Path) -> None:
        import faiss
        import tantivy

        from policy_qa.folding import fold
        from policy_qa.store import Store

        folder = generation_folder(path, read_manifest(path).generation)
        vectors = np.load(folder / "dense.npy", mmap_mode="r")
        faiss.omp_set_num_threads(2)
        self._faiss = faiss.IndexHNSWFlat(vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
        for start in range(0, len(vectors), 16_384):
            self._faiss.add(np.array(vectors[start : start + 16_384]))
        faiss.omp_set_num_threads(1)
        self._faiss.hnsw.efSearch = 128
        builder = tantivy.SchemaBuilder()
        builder.add_unsigned_field("row", stored=True)
        builder.add_text_field("tokens", tokenizer_name="whitespace", index_option="freq")
        index = tantivy.Index(builder.build())
        writer = index.writer(64 * 2**20, 1)
        store = Store(folder / "store.sqlite")
        for row, text in store._files[0].all("SELECT row, text FROM passages"):
            document = tantivy.Document(tokens=" ".join(tokens(fold(text))))
            document.add_unsigned("row", row)
            writer.add_document(document)
        store.close()
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        self._schema, self._searcher = index.schema, index.searcher()
        self._tantivy = tantivy

    def search(self, query: Any) -> None:
        """Find the best 100 of each."""
        self._faiss.search(query.vector[None], 100)
        occur, of = self._tantivy.Occur.Should, self._tantivy.Query
        terms = [
            (occur, of.term_query(self._schema, "tokens", token, "freq"))
            for token in {*query.tokens}
        ]
        hits = self._searcher.search(of.boolean_query(terms), limit=100, count=False).hits
        for _, address in hits:
            self._searcher.doc(address)


def _timed(work: Callable[[Any], Any], queries: Sequence[Any]) -> tuple[list[float], list[float]]:
    """Return the milliseconds that each query takes, by the wall and of the processor."""
    wall, processor = [], []
    for query in queries:
        start, busy = time.perf_counter(), time.process_time()
        work(query)
        wall.append(1000 * (time.perf_counter() - start))
        processor.append(1000 * (time.process_time() - busy))
    return wall, processor


def _laps(work: Callable[[], Any]) -> tuple[float, float]:
    wall, processor = _timed(lambda _: work(), range(5))
    return float(np.median(wall)), float(np.median(processor))


def _resident(name: str) -> int:
    """Return a figure of this process's memory, in MB; 0 where the system tells none."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1000 for line in lines if line.startswith(name)), 0)


def machine() -> dict[str, Any]:
    """Return which commit is measured, and where."""
    git = shutil.which("git") or "git"
    commit = subprocess.run(
        [git, "rev-parse", "--short", "HEAD"],
        check=False, capture_output=True, text=True, cwd=Path(__file__).parent,
    ).stdout.strip()  # fmt: skip
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {
        "commit": commit,
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": round(load, 1),
    }


COLUMNS = {
    "passages": "{passages:,}",
    "index": "{index}",
    "build, encoding left out, CPU s": "{build_cpu_s}",
    "build RSS MB": "{build_rss_mb}",
    "disk MB": "{disk_mb}",
    "open ms": "{open_ms}",
    "RSS MB (anonymous)": "{rss_mb} ({rss_anonymous_mb})",
    "p50 / p95 ms": "{p50_ms} / {p95_ms}",
    "CPU p50 / p95 ms": "{p50_cpu_ms} / {p95_cpu_ms}",
    "bare FAISS + tantivy, CPU p50 / p95 ms": "{bare_p50_cpu_ms} / {bare_p95_cpu_ms}",
    "recall@10, of words": "{recall}, {words_recall}",
    "1,000 questions at once, s": "{batch_s}",
    "one entry changed, ms (CPU)": "{update_ms} ({update_cpu_ms})",
}


def write(rows: Sequence[dict[str, Any]]) -> None:
    where = machine()
    RESULTS.mkdir(exist_ok=True)
    kept = {"where": where, "sizes": list(rows)}
    (RESULTS / "scale.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    lines = [
        "# How cost grows with size",
        "",
        f"`python benchmarks/scale.py`, commit {where['commit']}; {where['cores']} cores, "
        f"{where['machine']}, Python {where['python']}, load {where['load']} at the end. Real "
        "text, vectors of a stand-in for the encoder (see `benchmarks/scale_corpus.py`); real "
        "questions. Queries without the encoder, but for the 1,000 at once; recall of the real "
        "questions against comparing every vector, and against naming by every word.",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
        *(
            "| " + " | ".join(form.format_map(_Row(row)) for form in COLUMNS.values()) + " |"
            for row in rows
        ),
        "",
        "![cost by size](scale.svg)",
    ]
    (RESULTS / "scale.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    draw(rows)


class _Row(dict[str, Any]):
    """A dash for what was not measured."""

    def __missing__(self, _: str) -> str:
        return "–"


def draw(rows: Sequence[dict[str, Any]]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "scale"
    from matplotlib import pyplot as plt

    figures = {
        "build, CPU s": "build_cpu_s",
        "disk, MB": "disk_mb",
        "resident, MB": "rss_mb",
        "query p95, CPU ms": "p95_cpu_ms",
        "open, ms": "open_ms",
        "one entry changed, CPU ms": "update_cpu_ms",
    }
    drawing, places = plt.subplots(2, 3, figsize=(10, 5.5), layout="constrained")
    for place, (title, name) in zip(places.flat, figures.items(), strict=True):
        there = [row for row in rows if name in row]
        place.plot([row["passages"] for row in there], [row[name] for row in there], "o-")
        place.set(xscale="log", yscale="log", title=title, xlabel="passages")
        place.grid(visible=True, alpha=0.3)
    drawing.savefig(RESULTS / "scale.svg", metadata={"Date": None})
    plt.close(drawing)


if __name__ == "__main__":
    main()
