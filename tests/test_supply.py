"""What comes from elsewhere is data, is what was tested, and what is asked stays here."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from fakes import LetterEncoder, build

from policy_qa import KnowledgeBase
from policy_qa.cli import main
from policy_qa.encoders.any_model import AnyModelEncoder
from policy_qa.errors import EncoderError, PolicyQAError
from policy_qa.reranker import load_reranker

ROOT = Path(__file__).parents[1]
SOURCES = [*sorted((ROOT / "src").rglob("*.py")), ROOT / "app.py", *(ROOT / "app_views").iterdir()]
SECRET = "Zyxwvut-4711 my neighbour's refund"
"""A query that no message of the program may repeat."""


# --- nothing is run that came as data -----------------------------------------------------------

UNSAFE = {
    "eval", "exec", "compile", "pickle", "marshal", "shelve", "joblib", "dill", "cloudpickle",
    "yaml", "torch.load", "os.system", "os.popen",
}  # fmt: skip


def names(tree: ast.AST) -> set[str]:
    """Return what a module imports and calls, by name."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=imported):
                found |= {alias.name for alias in imported}
            case ast.ImportFrom(module=str(module)):
                found.add(module)
            case ast.Call(func=ast.Name(id=name)):
                found.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)):
                found.add(f"{owner}.{name}")
    return found


@pytest.mark.parametrize(
    "source", [file for file in SOURCES if file.suffix == ".py"], ids=lambda file: file.name
)
def test_no_source_runs_data(source):
    """No module unpickles, evaluates or runs what it reads, nor a command through a shell."""
    text = source.read_text(encoding="utf-8")
    assert not names(ast.parse(text)) & UNSAFE
    assert "shell=True" not in text
    for call in re.findall(r"np\.load\(.*", text):
        assert "allow_pickle=False" in call
    assert "trust_remote_code=True" not in text


class Trap:
    """When unpickled, leaves a file."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.place,)


@pytest.fixture(scope="module")
def plain_model(tmp_path_factory) -> Path:
    """Make a tiny transformer with pooling, and weights that are safe."""
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
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(
        BertConfig(vocab_size=len(pieces), intermediate_size=8, max_position_embeddings=64, **sizes)
    ).save_pretrained(source)
    parts = [Transformer(str(source)), Pooling(8, "mean")]
    SentenceTransformer(modules=parts, device="cpu").save(str(source / "tiny"))
    return source / "tiny"


def pickled_weights(folder: Path, trap: Path) -> None:
    """Put a pickle in the place of the weights."""
    import torch

    (weights,) = folder.rglob("model.safetensors")
    weights.unlink()
    torch.save({"embeddings.word_embeddings.weight": Trap(trap)}, folder / "pytorch_model.bin")


def own_module(folder: Path, trap: Path) -> None:
    """Name a module whose code stands in the folder."""
    (folder / "evil.py").write_text(
        f"from pathlib import Path\nPath({str(trap)!r}).touch()\nclass Evil: pass\n", "utf-8"
    )
    file = folder / "modules.json"
    modules = json.loads(file.read_text("utf-8"))
    modules[0]["type"] = "evil.Evil"
    file.write_text(json.dumps(modules), "utf-8")


def other_module(folder: Path, _: Path) -> None:
    """Name as a module what a library happens to hold, and what unpickles."""
    file = folder / "modules.json"
    modules = json.loads(file.read_text("utf-8"))
    modules[0]["type"] = "sentence_transformers.base.modules.module.torch"
    file.write_text(json.dumps(modules), "utf-8")


def own_configuration(folder: Path, trap: Path) -> None:
    """Name a configuration and a model whose code stands in the folder."""
    (folder / "evil.py").write_text(
        f"from pathlib import Path\nPath({str(trap)!r}).touch()\nclass Evil: pass\n", "utf-8"
    )
    file = folder / "config.json"
    fields = json.loads(file.read_text("utf-8"))
    fields |= {
        "model_type": "evil",
        "auto_map": dict.fromkeys(("AutoConfig", "AutoModel"), "evil.Evil"),
    }
    file.write_text(json.dumps(fields), "utf-8")


@pytest.mark.parametrize("harm", [pickled_weights, own_module, other_module, own_configuration])
@pytest.mark.parametrize("load", [AnyModelEncoder, load_reranker], ids=["model", "reranker"])
def test_a_model_folder_is_data(plain_model, tmp_path, harm, load):
    """A model that is a pickle or brings its own code is refused, and none of it runs."""
    folder = shutil.copytree(plain_model, tmp_path / "tiny")
    harm(folder, tmp_path / "trap")
    with pytest.raises(EncoderError) as caught:
        load(str(folder))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "trap").exists()


def test_safe_weights_beside_pickled_ones(plain_model, tmp_path):
    """Of a folder with both kinds of weights the safe ones are read."""
    folder = shutil.copytree(plain_model, tmp_path / "tiny")
    import torch

    torch.save({"x": Trap(tmp_path / "trap")}, folder / "pytorch_model.bin")
    assert AnyModelEncoder(str(folder)).dim == 8
    assert not (tmp_path / "trap").exists()


# --- nothing leaves the machine -----------------------------------------------------------------

NO_NETWORK = """
import socket, sys

def refuse(*arguments, **_):
    raise AssertionError(f"a socket was asked for: {arguments}")

class NoSocket(socket.socket):
    def __init__(self, family=socket.AF_INET, *rest, **named):
        if family != getattr(socket, "AF_UNIX", None):
            refuse(family)
        super().__init__(family, *rest, **named)

def audit(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}:
        refuse(event, arguments)

sys.addaudithook(audit)
socket.socket = NoSocket
socket.create_connection = socket.getaddrinfo = refuse

from policy_qa.cli import main

for arguments in ARGUMENTS:
    status = main(arguments)
    assert status in (0, 1), (status, arguments)
print("done", file=sys.stderr)
"""


def test_no_network(tmp_path):
    """Every command that reads, builds, asks, measures or exports does so without any socket."""
    kb, set_folder = str(tmp_path / "kb"), tmp_path / "set"
    set_folder.mkdir()
    for name in ("queries.jsonl", "qrels.tsv"):
        shutil.copy(ROOT / "eval" / "original" / name, set_folder)
    corpus = shutil.copytree(ROOT / "corpus", tmp_path / "corpus")
    for file in (ROOT / "tests" / "files").iterdir():
        if file.suffix in {".docx", ".html", ".pdf", ".xlsx"}:
            shutil.copy(file, corpus)
    commands = [
        ["build", str(corpus), "--kb", kb],
        ["ask", "拍错了可以退款吗", "--kb", kb, "--json", "--reading", "zh-Hans"],
        ["search", "refund", "--kb", kb, "--explain"],
        ["entries", str(corpus)],
        ["sync", "--kb", kb],
        ["lint", "--kb", kb],
        ["gaps", "--kb", kb],
        ["history", "--kb", kb],
        ["info", "--check", "--kb", kb],
        ["export", str(tmp_path / "a.xlsx"), "--kb", kb],
        ["import", str(tmp_path / "a.xlsx"), "--kb", str(tmp_path / "kb2")],
        ["eval", str(set_folder), "--kb", kb, "--runs", str(tmp_path / "runs"),
         "--results", str(tmp_path / "results")],
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", NO_NETWORK.replace("ARGUMENTS", repr(commands))],
        env=os.environ | {"POLICY_QA_DEBUG": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.endswith("done\n")


def test_the_page_tells_nobody():
    """The page sends no statistics, and listens on this machine only."""
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["client"]["showErrorDetails"] == "none"


# --- what was asked is told to nobody -----------------------------------------------------------


@pytest.fixture
def small(tmp_path) -> Path:
    """Return the place of a small knowledge base."""
    build(tmp_path / "kb").close()
    return tmp_path / "kb"


def test_commands_repeat_no_query(small, tmp_path, monkeypatch, capsys):
    """Neither an answer nor an error repeats a query on standard error, and no file holds it."""
    monkeypatch.setattr(KnowledgeBase, "encoder_for", staticmethod(lambda *_: LetterEncoder()))
    for query in (SECRET, f"{SECRET}\0\ud800", SECRET * 100, "?!"):
        for command in (["ask"], ["search", "--explain"], ["search", "--tag", "nowhere"]):
            main([*command, query, "--kb", str(small)])
            assert SECRET[:12] not in capsys.readouterr().err
    for file in filter(Path.is_file, tmp_path.rglob("*")):
        assert SECRET[:12].encode() not in file.read_bytes(), file


def test_errors_repeat_no_query(small, caplog, recwarn):
    """No error, no warning and no log of the Python API holds the query that it was asked."""
    with KnowledgeBase.open(small, model=LetterEncoder()) as kb:
        kb.ask(SECRET)
        kb.ask(f"{SECRET}\ud800")
        with pytest.raises(PolicyQAError) as too_long:
            kb.ask(SECRET * 100)
        with pytest.raises(PolicyQAError) as no_count:
            kb.search(SECRET, top_k=0)
    assert SECRET[:12] not in f"{too_long.value}{no_count.value}"
    assert SECRET[:12] not in caplog.text
    assert not any(SECRET[:12] in str(warning.message) for warning in recwarn)


# --- what it depends on -------------------------------------------------------------------------

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DEPENDENCIES = [
    *PROJECT["project"]["dependencies"],
    *(one for extra in PROJECT["project"]["optional-dependencies"].values() for one in extra),
]
PINS = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)


def normal(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("dependency", sorted(set(DEPENDENCIES)))
def test_every_dependency_is_bounded_and_pinned(dependency):
    """A dependency has a version that it stays below, and the one that was tested is within."""
    name, bounds = re.match(r"([\w.-]+)(.*)", dependency.partition(";")[0]).groups()
    assert "<" in bounds or "==" in bounds
    pin = {normal(pinned): version for pinned, version in PINS.items()}[normal(name)]
    for sign, limit in re.findall(r"(>=|<|==)([\d.]+)", bounds):
        tested, bound = (tuple(map(int, re.findall(r"\d+", v))) for v in (pin, limit))
        assert {">=": tested >= bound, "<": tested < bound, "==": tested == bound}[sign], pin


def test_what_is_installed_is_pinned():
    """Every package that the program needs, and that they need in turn, has its tested version."""
    from packaging.requirements import Requirement

    pins = {normal(name) for name in PINS}
    needed = [Requirement(one) for one in PROJECT["project"]["dependencies"]]
    seen: set[str] = set()
    while needed:
        requirement = needed.pop()
        name = normal(requirement.name)
        there = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if name in seen or not there:
            continue
        seen.add(name)
        try:
            requires = metadata.distribution(name).requires or []
        except metadata.PackageNotFoundError:
            continue
        needed += [Requirement(one) for one in requires]
    assert seen - pins - {"setuptools", "pip", "policy-qa"} == set()
