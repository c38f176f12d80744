"""The sandbox's core system, as a process, is what docs/fund-core-api.yaml says. scripts/check-fund-contract is the
long form of the first test."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import requests

from tests.contract.fund.check import run, running_sandbox
from tests.contract.fund.signing_hooks import Signed


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_sandbox(tmp_path_factory.mktemp("process")) as address:
        yield address


def test_generated_requests_are_answered_as_the_contract_says(url: str, tmp_path: Path) -> None:
    code, made = run(url, tmp_path, examples=12, seed=12329, phases="examples,fuzzing")
    assert code == 0
    assert made >= 150


class Line:
    """A client on a real connection."""

    def __init__(self, url: str) -> None:
        self._url, self._session = url, requests.Session()
        self._session.trust_env = False

    def fault(self, mode: str, **more: object) -> None:
        told = httpx.post(f"{self._url}/control/faults", json={"mode": mode, **more}, trust_env=False)
        assert told.status_code == 200

    def submit(self, key: str, *, timeout: float = 5.0) -> requests.Response:
        body = {
            "business": "transfer-other-city",
            "fields": {"from_city": "Wuhan", "from_unit_name": "Works"},
            "confirmed_at": datetime.now(UTC).strftime("%Y-%m-%dT00:00:00Z"),
            "channel": "web",
        }
        path = f"{self._url}/v1/persons/100000000001/applications"
        headers = {"Idempotency-Key": key}
        return self._session.post(path, json=body, headers=headers, timeout=timeout, auth=Signed())

    def submission(self, key: str) -> object:
        path = f"{self._url}/v1/persons/100000000001/submissions/{key}"
        return self._session.get(path, timeout=5, auth=Signed()).json()["application"]


def test_a_connection_that_is_dropped_after_a_write_has_written(url: str) -> None:
    line, key = Line(url), str(uuid.uuid4())
    httpx.post(f"{url}/control/reset", trust_env=False)
    line.fault("drop_after_write", times=1)
    with pytest.raises(requests.ConnectionError):
        line.submit(key)
    found = line.submission(key)
    again = line.submit(key)
    assert again.status_code == 200
    assert found is not None
    assert again.json()["application"]["application_no"] == found["application_no"]  # type: ignore[index]


def test_a_request_that_hangs_is_never_answered_and_never_done(url: str) -> None:
    line, key = Line(url), str(uuid.uuid4())
    line.fault("hang", seconds=2, times=1)
    began = time.monotonic()
    with pytest.raises(requests.ReadTimeout):
        line.submit(key, timeout=0.5)
    assert time.monotonic() - began < 2
    assert line.submission(key) is None
