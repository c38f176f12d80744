"""Unit tests open no socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import pytest_socket


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    pytest_socket.disable_socket(allow_unix_socket=True)  # the event loop wakes itself through one
    yield
    pytest_socket.enable_socket()
