"""How Schemathesis speaks to a core system: signed, and now and then about people who are there.

Loaded by tests/contract/fund/test_schemathesis.py and, as SCHEMATHESIS_HOOKS, by scripts/check-fund-contract.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import os
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import schemathesis
from requests.auth import AuthBase

CLIENT = os.environ.get("FUND_CONTRACT_CLIENT") or "hotline"
SECRET = os.environ.get("FUND_CONTRACT_SECRET") or "embedded-fund-secret-change-me"
_HEADERS = ("X-Fund-Client", "X-Fund-Timestamp", "X-Fund-Nonce", "X-Fund-Signature")
_PEOPLE = [f"1{index:011d}" for index in range(1, 35)]
"""The cast's numbers; another core system has its own people, and answers 404 for these."""
_turns = itertools.count()


class Signed(AuthBase):
    """Signs what is sent, as it is sent; a request that was given a header of its own to be wrong keeps it."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        content = body if isinstance(body, bytes) else body.encode()
        timestamp, nonce = str(int(time.time())), uuid.uuid4().hex
        lines = [request.method or "", request.path_url, timestamp, nonce, hashlib.sha256(content).hexdigest()]
        signature = hmac.new(SECRET.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()
        request.headers.update(dict(zip(_HEADERS, (CLIENT, timestamp, nonce, signature), strict=True)))
        return request


schemathesis.auth.set_from_requests(Signed())


@schemathesis.hook
def map_path_parameters(_context: Any, parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Every second time the person is somebody of the cast, with an account or loan of his own."""
    turn = next(_turns)
    if not parameters or "person_no" not in parameters or turn % 2:
        return parameters
    person = _PEOPLE[turn // 2 % len(_PEOPLE)]
    own = {"person_no": person, "account_no": f"2{person[2:]}0", "loan_no": f"DK{person[3:]}0"}
    return parameters | {name: value for name, value in own.items() if name in parameters}


@schemathesis.hook
def map_body(_context: Any, body: Any) -> Any:
    """Every second application was confirmed just now, and its months are the last ones."""
    turn = next(_turns)
    if not isinstance(body, dict) or not isinstance(body.get("fields"), dict) or turn % 2:
        return body
    now = datetime.now(UTC)
    month = (now.replace(day=1) - timedelta(days=1)).strftime("%Y-%m-01")
    likely = {
        "first_month": month,
        "last_month": month,
        "on": f"{now + timedelta(days=2):%Y-%m-%d}",
        "amount_fen": "150000",
    }
    fields = body["fields"] | {name: value for name, value in likely.items() if name in body["fields"]}
    moment = {"confirmed_at": now.strftime("%Y-%m-%dT%H:%M:%SZ")} if "confirmed_at" in body else {}
    return body | {"fields": fields} | moment
