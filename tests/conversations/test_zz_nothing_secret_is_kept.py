"""After every conversation of this folder: no number that somebody proved himself with stands anywhere.

Searched are the bytes of every file the product has written (logs, databases and what they have not yet merged), every
value of both databases, and what went out over WeChat and SMS. The core system's own database is not the product's.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.citizens import cast, client
from tests.conversations.scenes import Scene, play
from tests.conversations.stage import Stage
from tests.stack import Stack

pytestmark = pytest.mark.stack

NOT_OURS = frozenset({"knowledge", "models", "made", "sandbox", "up.log"})
"""Content, the core system's own database, and what the start tells whoever tries the sandbox."""
DATABASES = ("hotline.db", "rasa.db")
CODE_TEXT = "验证码"
_TOKEN = re.compile(rb"(?<![0-9A-Za-z_.])[0-9]{6}(?![0-9A-Za-z_])")
_ESCAPED = re.compile(rb"\\u[0-9a-f]{4}")
_LIKE_A_FIGURE = re.compile(rb"\d*000|(?:19|20)\d{4}")
"""Round amounts and months: a code that happens to look like one cannot be told from them."""
PROVING = Scene(
    name="secrets",
    channel="wechat",
    person="family",
    steps=[
        {"user": "我是李国强，身份证号<id_number>，密码<password>，卡号<card_number>，查余额"},
        {"user": "验证身份", "offers": "验证身份"},
        {"prove": "wrong code", "page": "验证码不对"},
        {"prove": "card", "bot_uttered": {"text_matches": "已确认是您本人"}},
        {"user": "给我开个缴存证明", "offers": "下载证明"},
        {"fetch": "下载证明", "got": {"status": 200, "type": "application/pdf"}},
    ],
)


@dataclass(frozen=True, slots=True)
class Secrets:
    """``long``: ID and card numbers, found wherever they stand. ``short``: passwords and codes, found where they stand
    by themselves."""

    long: frozenset[bytes]
    short: frozenset[bytes]

    def found_in(self, data: bytes) -> set[str]:
        tokens = set(_TOKEN.findall(_ESCAPED.sub(b"\xff", data)))
        return {each.decode() for each in {*(number for number in self.long if number in data), *(tokens & self.short)}}


@pytest.fixture(scope="module")
def outbox(stack: Stack) -> list[Mapping[str, str]]:
    """Every text message that went out, after somebody has proven himself in every way there is."""
    with contextlib.closing(Stage(stack)) as stage:
        went_wrong = play(PROVING, stage, trouble_is_over=lambda: None)
    assert not went_wrong, "\n".join(went_wrong)
    with client(stack.sandbox) as carrier:
        sent: list[Mapping[str, str]] = carrier.get("/twilio/outbox").json()
    return sent


@pytest.fixture(scope="module")
def secrets(stack: Stack, outbox: list[Mapping[str, str]]) -> Secrets:
    people = cast(stack).values()
    numbers = {person[name] for person in people for name in ("id_number", "card_number") if person[name]}
    codes = {token for sent in outbox if CODE_TEXT in sent["body"] for token in _TOKEN.findall(sent["body"].encode())}
    assert codes, "nobody got a code"
    passwords = {person["password"].encode() for person in people}
    return Secrets(
        long=frozenset(each.encode() for number in numbers for each in (number, number.lower())),
        short=frozenset(passwords | {code for code in codes if not _LIKE_A_FIGURE.fullmatch(code)}),
    )


def test_the_search_finds_what_is_there(secrets: Secrets) -> None:
    password, number = min(secrets.short).decode(), min(secrets.long).decode()
    assert secrets.found_in(f"密码{password}。".encode()) == {password}
    assert secrets.found_in(json.dumps({"text": f"密码{password}"}).encode()) == {password}
    assert secrets.found_in(f"x{number}x".encode()) == {number}
    assert not secrets.found_in(f"12:00:00.{password} a{password}f".encode())


def test_no_file_holds_a_secret(stack: Stack, secrets: Secrets) -> None:
    files = list(_written(stack.settings.state_dir))
    assert {"gateway.log", "actions.log", *DATABASES} <= {path.name for path in files}
    assert {path.name: found for path in files if (found := secrets.found_in(path.read_bytes()))} == {}


def test_no_value_in_a_database_is_a_secret(stack: Stack, secrets: Secrets) -> None:
    for name in DATABASES:
        values = list(_values(stack.settings.state_dir / name))
        assert len(values) > 100
        assert {place: found for place, value in values if (found := secrets.found_in(value))} == {}


def test_no_text_message_but_the_code_itself_holds_a_secret(outbox: list[Mapping[str, str]], secrets: Secrets) -> None:
    others = [sent["body"] for sent in outbox if CODE_TEXT not in sent["body"]]
    assert [body for body in others if secrets.found_in(body.encode())] == []
    for body in (sent["body"] for sent in outbox if CODE_TEXT in sent["body"]):
        assert len(secrets.found_in(body.encode())) <= 1


def test_nothing_said_on_wechat_holds_a_secret(stack: Stack, secrets: Secrets) -> None:
    said = list(_said_on_wechat(stack))
    assert said
    assert [text for text in said if secrets.found_in(text.encode())] == []


def _written(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in NOT_OURS:
            continue
        yield from (each for each in ([path] if path.is_file() else path.rglob("*")) if each.is_file())


def _values(path: Path) -> Iterator[tuple[str, bytes]]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - the database's own names
                yield from ((table, str(value).encode()) for value in row if isinstance(value, str | bytes))


def _said_on_wechat(stack: Stack) -> Iterator[str]:
    """Everything the account said, on every telephone."""
    with client(stack.sandbox) as platform:
        people = platform.get("/phone/account").json()["citizens"]
    for person in people:
        with (
            client(stack.sandbox, timeout=2) as phone,
            contextlib.suppress(httpx.ReadTimeout),
            phone.stream("GET", "/phone/events", params={"openid": person["openid"]}) as events,
        ):
            for line in events.iter_lines():
                if line.startswith("data:"):
                    event = json.loads(line.removeprefix("data:"))
                    if event.get("author") == "account":
                        yield str(event["text"])
