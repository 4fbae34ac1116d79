"""A connection to Milvus, whose troubles are errors of this package."""

import contextlib
import logging
import os
import re
import threading
from typing import Any, Final

from policy_qa.engines.address import checked
from policy_qa.errors import EngineError, InputError

TOKEN_VARIABLE: Final = "POLICY_QA_ENGINE_TOKEN"  # noqa: S105 (the name of it)
"""The environment's variable with the engine's token, or `user:password`. It is stored nowhere."""

MAJOR: Final = 3
"""The major version of Milvus that the client of the extra is made for."""

_SECONDS: Final = 30.0
"""That one request may take: a batch of rows is written in less than one on a quiet server."""

_CONNECTING_SECONDS: Final = 5.0
_REFUSED = re.compile(r"unauthenticated|auth check failure|permission.?denied", re.IGNORECASE)
_GONE = ("UNAVAILABLE", "Fail connecting", "closed channel", "should create connection first")
"""In the client's errors when it does not reach the engine, or another thread has closed it."""

_VERSION = re.compile(r"(\d+)\.")


class Connection:
    """Requests to one engine. Safe to use from several threads.

    A request that finds the engine gone is made once more over a new connection, for an engine that
    was restarted is reached by a new one only.
    """

    def __init__(self, url: str) -> None:
        """Connect.

        Raises:
            EngineError: If the extra is missing, or the engine is not there, refuses the token, or
                is of another major version.
            InputError: If the address is none.
        """
        self.url = checked(url)
        if not self.url:
            raise InputError(f"{url!r} is no address of an engine that answers requests.")
        self._lock = threading.Lock()
        self._pymilvus = _pymilvus()
        self._client: Any = self._connected()
        version = str(self.call("get_server_version"))
        found = _VERSION.search(version)
        if not found or int(found[1]) != MAJOR:
            self.close()
            raise EngineError(
                f"The engine at {url} is Milvus {version}; this program needs version {MAJOR}. "
                "Name another engine, or install the release of policy-qa that is made for it."
            )

    def _connected(self) -> Any:
        try:
            return self._pymilvus.MilvusClient(
                uri=self.url,
                token=os.environ.get(TOKEN_VARIABLE, ""),
                timeout=_CONNECTING_SECONDS,
                dedicated=True,
            )
        except self._troubles() as error:
            raise self._told(error) from error

    def call(self, request: str, *arguments: Any, **options: Any) -> Any:
        """Make a request of the client; each may be made twice.

        Raises:
            EngineError: If it fails.
        """
        options.setdefault("timeout", _SECONDS)
        client = self._client or self._connected_again(None)
        try:
            return getattr(client, request)(*arguments, **options)
        except self._troubles() as error:
            if not self._gone(error):
                raise self._told(error) from error
        client = self._connected_again(client)
        try:
            return getattr(client, request)(*arguments, **options)
        except self._troubles() as error:
            raise self._told(error) from error

    def _connected_again(self, broken: Any) -> Any:
        """Return a new client in the place of a broken one, if no other thread has made one."""
        with self._lock:
            if self._client is broken:
                _close(broken)
                self._client = None
                self._client = self._connected()
            return self._client

    def _troubles(self) -> tuple[type[Exception], ...]:
        import grpc  # noqa: PLC0415 (comes with the client)

        return (self._pymilvus.exceptions.MilvusException, grpc.RpcError, ConnectionError)

    @staticmethod
    def _gone(error: Exception) -> bool:
        return any(sign in str(error) for sign in _GONE)

    def _told(self, error: Exception) -> EngineError:
        text = " ".join(str(getattr(error, "message", "") or error).split())
        if _REFUSED.search(f"{text} {error.__cause__ or ''} {error.__context__ or ''}"):
            return EngineError(
                f"The engine at {self.url} refuses the token. Set the variable {TOKEN_VARIABLE}."
            )
        if self._gone(error):
            return EngineError(
                f"No engine answers at {self.url}. Start it, or leave it: policy-qa repair "
                "--engine embedded. What was there is untouched."
            )
        return EngineError(f"The engine at {self.url} refused a request: {text[:300]}")

    def close(self) -> None:
        """Close the connection."""
        _close(self._client)


def _close(client: Any) -> None:
    with contextlib.suppress(Exception):  # it may be gone, which is what is wanted
        client.close()


def _pymilvus() -> Any:
    try:
        import pymilvus  # noqa: PLC0415 (an extra, and heavy)
    except ImportError as error:
        raise EngineError(
            "An engine needs the Milvus client. Install it: pip install 'policy-qa[milvus]'"
        ) from error
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL + 1)  # errors are raised as well
    return pymilvus
