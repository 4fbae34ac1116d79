"""Processes that change or read a knowledge base, to be killed, starved and watched.

As a program it forks them: to import everything takes seconds, to fork a few milliseconds. It reads
one order a line, as JSON, and answers each with one line.

Every document of the corpus names its edition in every sentence, so that what is read tells whether
it is of one piece.
"""

import errno
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Self

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

from fakes import LetterEncoder

from policy_qa import KnowledgeBase, KnowledgeBaseError, keeping
from policy_qa.calibration import save
from policy_qa.confidence import Calibration
from policy_qa.evaluation.saved_cases import save_case
from policy_qa.storage import verify
from policy_qa.types import Citation

FULL = os.environ.get("POLICY_QA_ATTACK") == "full"
"""Whether all of it is wanted, which takes minutes, or a slice."""

WORDS = ("refund", "parcel", "deposit")
QUERIES = tuple(f"What about {word} number {n}?" for word in WORDS for n in (1, 2))


def report(what: str, outcomes: Mapping[str, int]) -> None:
    """Print the figures of a full run."""
    if FULL:
        said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
        sys.stdout.write(f"\n{what}: {said}\n")


def text(word: str, edition: int) -> str:
    """Return a document of an edition."""
    return "".join(
        f"{n}. What about {word} number {n}?\nThe {word} of edition {edition} takes {n} days. "
        f"It ends with edition {edition}.\n"
        for n in (1, 2)
    )


def write_corpus(kb: Path, edition: int) -> Path:
    """Write the corpus of a knowledge base, as long ago as its edition is old."""
    folder = kb.parent / "corpus"
    folder.mkdir(exist_ok=True)
    for word in WORDS:
        file = folder / f"{word}.txt"
        file.write_text(text(word, edition), encoding="utf-8")
        os.utime(file, (1_700_000_000 + edition,) * 2)
    return folder


def make(kb: Path, editions: int = 2) -> None:
    """Build generations 1 to `editions` of these editions, with a case to publish by."""
    for edition in range(1, editions + 1):
        KnowledgeBase.build(write_corpus(kb, edition), kb, model=LetterEncoder()).close()
    save_case(kb / "eval", QUERIES[0], "refund#1", "en")


def edition_of(kb: KnowledgeBase) -> int:
    """Return the edition of all that a knowledge base holds; fail if there are two, or any lacks.

    Every quote of an answer is looked up in the text of that edition.
    """
    held = {name: kb.document(name).text for name, _ in kb.documents()}
    (edition,) = {int(n) for one in held.values() for n in re.findall(r"edition (\d+)", one)}
    assert held == {f"{word}.txt": text(word, edition) for word in WORDS}
    check_answer(kb, QUERIES[0], edition)
    return edition


def check_answer(kb: KnowledgeBase, query: str, edition: int) -> None:
    """Ask; fail unless the right entry answers with quotes of that edition."""
    answer = kb.ask(query)
    assert answer.hits[0].question == query
    assert answer.generation == kb.generation
    cited = [*citations(answer)]
    assert cited
    for one in cited:
        word = one.document_id.removesuffix(".txt")
        assert text(word, edition)[one.span.start : one.span.end] == one.quote
    for hit in answer.hits:
        word, span = hit.passage.document_id.removesuffix(".txt"), hit.passage.span
        assert text(word, edition)[span.start : span.end] == hit.passage.text


def citations(value: Any) -> Iterator[Citation]:
    """Yield every citation of an answer, wherever it stands."""
    if isinstance(value, Citation):
        yield value
    elif is_dataclass(value):
        for one in fields(value):
            yield from citations(getattr(value, one.name))
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from citations(one)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from citations(one)


def state(path: Path) -> tuple[int, int]:
    """Return the generation and the edition that a knowledge base opens with, found whole."""
    with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
        verify(path, kb.manifest, again=True)
        return kb.generation, edition_of(kb)


def change(action: str, path: Path) -> None:
    """Do what changes a knowledge base."""
    encoder, corpus = LetterEncoder(), path.parent / "corpus"
    if action == "build":
        KnowledgeBase.build(corpus, path, model=encoder).close()
    elif action == "sync":
        keeping.synchronise(path, corpus, model=encoder)
    elif action == "sync-in-place":
        import policy_qa.build

        policy_qa.build.REBUILT_UP_TO, policy_qa.build.CHANGES_SHARE = 0, 99
        keeping.synchronise(path, corpus, model=encoder)
    elif action == "publish":
        keeping.publish(path, corpus, model=encoder, force=True)
    elif action == "rollback":
        keeping.rollback(path)
    elif action == "calibrate":
        save(path, Calibration(wrong_answer_cost=7.0), encoder.identity)
    elif action == "repair":
        keeping.repair(path, model=encoder)


ACTIONS = ("build", "sync", "sync-in-place", "publish", "rollback", "calibrate")


class _Points:
    """Counts what a process does to files below a folder, and strikes at one of them."""

    def __init__(self, folder: str, strike: str, at: int) -> None:
        self.folder, self.strike, self.at = folder, strike, at
        self.count = 0

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at an event of the interpreter."""
        if event == "open":
            name, mode, flags = arguments
            writes = flags & (os.O_WRONLY | os.O_RDWR) if mode is None else mode.strip("rbt")
            if writes and self.folder in str(name):
                self.passed(event)
        elif event in _EVENTS and self.folder in str(arguments[0]):
            self.passed(event)

    def passed(self, event: str) -> None:
        """Count, and strike if it is time."""
        self.count += 1
        if self.strike == "kill" and self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        refused = event not in {"os.remove", "os.rmdir", "sqlite3.connect"}
        struck = self.count == self.at or (self.strike == "full" and self.count > self.at)
        if self.strike in {"error", "full"} and struck and refused:
            raise OSError(errno.ENOSPC, "No space left on device")


_EVENTS = frozenset(
    {"os.rename", "os.mkdir", "os.link", "os.remove", "os.rmdir", "sqlite3.connect"}
)


def _armed(order: dict[str, Any]) -> _Points:
    points = _Points(order["kb"], order["strike"], order["at"])
    sys.addaudithook(points.hook)
    fsync = os.fsync

    def flush(handle: int) -> None:
        points.passed("os.fsync")
        fsync(handle)

    os.fsync = flush
    if order["strike"] == "size":
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["at"], resource.RLIM_INFINITY))
    return points


def _changing(order: dict[str, Any]) -> dict[str, Any]:
    points = _armed(order)
    error: BaseException | None = None
    try:
        change(order["action"], Path(order["kb"]))
    except BaseException as caught:  # noqa: BLE001 (told to whoever ordered it)
        error = caught
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    points.strike = ""
    return {
        "error": type(error).__name__ if error else "",
        "message": str(error or ""),
        "trace": "".join(traceback.format_exception(error)) if error else "",
        "points": points.count,
    }


def _reading(order: dict[str, Any]) -> dict[str, Any]:
    """Open and ask in several threads until there is a file that says to stop, and once after."""
    path, stop = Path(order["kb"]), Path(order["stop"])
    counts = {"opened": 0, "answers": 0}
    seen: set[int] = set()
    wrong: list[str] = []
    lock = threading.Lock()

    def read() -> None:
        try:
            last = False
            while not last and not wrong:
                last = stop.exists()
                with KnowledgeBase.open(path, model=LetterEncoder()) as kb:
                    for query in QUERIES if FULL else QUERIES[1:2]:
                        check_answer(kb, query, kb.generation)
                    edition = edition_of(kb)
                    assert edition == kb.generation
                Path(order["ready"]).touch()
                with lock:
                    counts["opened"] += 1
                    counts["answers"] += len(QUERIES) + 1 if FULL else 2
                    seen.add(edition)
        except BaseException:  # noqa: BLE001 (told to whoever ordered it)
            wrong.append(traceback.format_exc())

    threads = [threading.Thread(target=read) for _ in range(order["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {**counts, "generations": sorted(seen), "wrong": wrong}


def _holding(order: dict[str, Any]) -> dict[str, Any]:
    """Hold the write lock for some seconds."""
    from policy_qa.storage import writing

    with writing(Path(order["kb"])):
        Path(order["ready"]).touch()
        time.sleep(order["seconds"])
    return {}


@dataclass(slots=True)
class Started:
    """A process at work.

    Attributes:
        pid: Its number.
        attacker: That forked it.
    """

    pid: int
    attacker: "Attacker"

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)

    def result(self) -> dict[str, Any]:
        """Wait for it; return what it says. `killed` is the number of the signal."""
        return self.attacker.order({"kind": "wait", "pid": self.pid})


class Attacker:
    """Forks processes at work on a knowledge base."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def order(self, order: dict[str, Any]) -> dict[str, Any]:
        """Give an order; return the answer."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def start(self, kind: str, kb: Path, **order: Any) -> Started:
        """Fork a process that changes, reads or holds a knowledge base."""
        return Started(self.order({"kind": kind, "kb": str(kb), **order})["pid"], self)

    def change(self, action: str, kb: Path, strike: str = "", at: int = 0) -> dict[str, Any]:
        """Do what changes a knowledge base, in a process that is struck; return what it says.

        Args:
            action: One of `ACTIONS`, or `repair`.
            kb: The knowledge base.
            strike: `kill` at the point of that number; `error` only there; `full`, errors from
                there on; `size`, no file may be longer than so many bytes.
            at: Number of the point, or bytes.
        """
        return self.start("change", kb, action=action, strike=strike, at=at).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _child(order: dict[str, Any], answers: int) -> None:
    work = {"change": _changing, "read": _reading, "hold": _holding}[order["kind"]]
    try:
        said = work(order)
    except KnowledgeBaseError as error:
        said = {"error": type(error).__name__, "message": str(error)}
    os.write(answers, json.dumps(said).encode())


def _serve() -> None:
    pipes: dict[int, int] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if order["kind"] == "wait":
            pipe = pipes.pop(order["pid"])
            with os.fdopen(pipe, "rb") as said:
                data = said.read()
            _, status = os.waitpid(order["pid"], 0)
            answer = json.loads(data or b"{}") | {"killed": status & 0x7F}
        else:
            read, write = os.pipe()
            pid = os.fork()
            if not pid:
                try:
                    os.close(read)
                    _child(order, write)
                finally:
                    os._exit(0)
            os.close(write)
            pipes[pid] = read
            answer = {"pid": pid}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    import faiss  # noqa: F401 (so that no child has to)
    import filelock  # noqa: F401

    _serve()
