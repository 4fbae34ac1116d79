"""A real Milvus Lite server on loopback, for tests."""

import importlib.util
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

_SECONDS = 30.0
"""That a server may take to start on a busy machine."""


class Server:
    """A server in a process of its own, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        program = Path(sys.executable).with_name("milvus-lite")
        arguments = ["server", "--data-dir", self._folder, "--host", "127.0.0.1"]
        self._process = subprocess.Popen(
            [program, *arguments, "--port", str(self._port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise TimeoutError("milvus-lite does not start")

    def stop(self) -> None:
        """Kill it, as a crash would."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


def server_or_skip(folder: Path) -> Server:
    """Return a server that is not started; skip the test where none is installed."""
    program = Path(sys.executable).with_name("milvus-lite")
    if not importlib.util.find_spec("pymilvus") or not shutil.which(str(program)):
        pytest.skip("no Milvus to test against: pip install 'policy-qa[test]' installs it")
    return Server(folder)
