"""Both directions of the exchange, between our real services and the sandbox's city hotline."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import structlog
from sqlalchemy import select

from hotline.city_hotline import CityRefused, CityUpdate
from hotline.domain.work_orders import State
from hotline.errors import TemporaryError
from hotline.exchange.http import HttpCityHotline
from hotline.exchange.signing import CitySignature, CityVerifier, NotSigned
from hotline.settings import CityHotlineSettings
from hotline.storage.channel_store import SqlChannelStore
from hotline.storage.tables import contacts
from sandbox.city_hotline.book import Book
from tests.contract.city_hotline.conftest import COMPLAINT, ORDER, Exchange, exchange_in
from tests.work_order_kit import DONE, LI, PHONE, WEDNESDAY

pytestmark = pytest.mark.anyio

BODY = json.dumps(COMPLAINT, ensure_ascii=False).encode()
SETTINGS = CityHotlineSettings(base_url="http://city")


async def test_an_order_goes_in_and_its_conclusion_comes_out(exchange: Exchange) -> None:
    [delivered] = await exchange.control("deliver", **COMPLAINT)
    number = delivered["answer"]["number"]
    assert (delivered["status"], delivered["answer"]["state"]) == (201, "new")
    assert delivered["answer"]["due_at"] == "2026-11-30T09:00:00Z"
    order = await exchange.kit.services.orders.find(number)
    assert order is not None
    assert (order.title, order.contact, order.city_id) == ("投诉：租房提取", PHONE, delivered["city_id"])
    await exchange.kit.concluded(order)
    await exchange.kit.until_quiet()
    [known] = (await exchange.book())["orders"]
    assert (known["number"], known["state"]) == (number, "concluded")
    assert [update["state"] for update in known["updates"]] == ["accepted", "in_progress", "concluded"]
    assert known["conclusion"] == {"finding": DONE.finding, "done": DONE.done, "upheld": "yes"}
    assert [contact for contact, _, _ in exchange.kit.citizens.told] == [PHONE]


async def test_the_same_delivery_many_times_at_once_is_one_order(exchange: Exchange) -> None:
    told = await exchange.control("deliver", **COMPLAINT, copies=8)
    assert sorted(each["status"] for each in told) == [200] * 7 + [201]
    assert len({json.dumps(each["answer"], sort_keys=True) for each in told}) == 1


async def test_a_repetition_long_after_is_answered_as_the_first_time(exchange: Exchange) -> None:
    first = await exchange.send("PUT", ORDER, BODY)
    order = await exchange.kit.services.orders.find(first.json()["number"])
    assert order is not None
    await exchange.kit.concluded(order)
    exchange.kit.clock.forward(days=20)
    again = await exchange.send("PUT", ORDER, BODY)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    other = await exchange.send("PUT", ORDER, BODY.replace("差".encode(), "好".encode()))
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")


async def test_reminding_cancelling_and_asking(exchange: Exchange) -> None:
    city_id = (await exchange.control("deliver", **COMPLAINT))[0]["city_id"]
    for status in (201, 200):
        told = await exchange.control("remind", city_id=city_id, reminder_id="R-1", text="市民再次来电")
        assert told["status"] == status
    asked = await exchange.control("ask", city_id=city_id)
    assert (asked["status"], asked["answer"]["state"], asked["answer"]["conclusion"]) == (200, "new", None)
    for status in (201, 200):
        assert (await exchange.control("cancel", city_id=city_id, reason="市民撤单"))["status"] == status
    late = await exchange.control("remind", city_id=city_id, reminder_id="R-2", text="催办")
    assert (late["status"], late["answer"]["code"]) == (409, "wrong_state")
    asked = await exchange.control("ask", city_id=city_id)
    assert (asked["answer"]["state"], asked["answer"]["reason"]) == ("cancelled", "市民撤单")
    assert (await exchange.control("ask", city_id="nobodys"))["status"] == 404
    assert (await exchange.control("remind", city_id="nobodys", reminder_id="R-1", text="催办"))["status"] == 404


async def test_what_was_rejected_is_told_with_its_reason(exchange: Exchange) -> None:
    number = (await exchange.control("deliver", **COMPLAINT))[0]["answer"]["number"]
    await exchange.kit.services.desk.reject(number, version=1, by=LI, reason="属于社会保险业务")
    await exchange.kit.until_quiet()
    [update] = (await exchange.book())["orders"][0]["updates"]
    assert (update["state"], update["reason"], update["conclusion"]) == ("rejected", "属于社会保险业务", None)


@pytest.mark.parametrize(
    ("mode", "seconds", "received"),
    [("error", 0, 1), ("slow", 0.7, 2), ("lost", 0.7, 2)],
)
async def test_a_city_hotline_that_fails_once_is_told_again_and_knows_it_once(
    exchange: Exchange, mode: str, seconds: float, received: int
) -> None:
    number = (await exchange.control("deliver", **COMPLAINT))[0]["answer"]["number"]
    await exchange.control("faults", mode=mode, seconds=seconds, times=1)
    await exchange.kit.services.desk.accept(number, version=1, by=LI)
    began = time.monotonic()
    await exchange.kit.services.due.run_due()
    assert time.monotonic() - began < 3
    exchange.kit.clock.forward(seconds=5)
    await exchange.kit.until_quiet()
    known = await exchange.book()
    assert [update["state"] for update in known["orders"][0]["updates"]] == ["accepted"]
    assert known["received"] >= received


async def test_a_slow_city_hotline_within_its_time_is_told_once(exchange: Exchange) -> None:
    number = (await exchange.control("deliver", **COMPLAINT))[0]["answer"]["number"]
    await exchange.control("faults", mode="slow", seconds=0.1)
    await exchange.kit.services.desk.accept(number, version=1, by=LI)
    await exchange.kit.until_quiet()
    assert (await exchange.book())["received"] == 1


async def test_a_city_hotline_that_is_down_for_long_gets_a_note_to_the_supervisors(exchange: Exchange) -> None:
    number = (await exchange.control("deliver", **COMPLAINT))[0]["answer"]["number"]
    await exchange.control("faults", mode="error")
    await exchange.kit.services.desk.accept(number, version=1, by=LI)
    for _ in range(11):
        await exchange.kit.services.due.run_due()
        exchange.kit.clock.forward(hours=1)
    [dead] = await exchange.kit.services.posts.dead_posts(limit=5)
    assert (dead.number, dead.attempts, dead.error) == (number, 10, "the city hotline: http 500")
    assert ("undelivered", "supervisors") in [(each["what"], each["to"]) for each in await exchange.kit.desk_heard()]
    await exchange.control("faults", mode="none")
    await exchange.kit.services.posts.again(dead.id)
    await exchange.kit.until_quiet()
    assert (await exchange.book())["orders"][0]["state"] == "accepted"


async def test_a_city_hotline_that_was_restarted_still_knows_its_orders(exchange: Exchange, tmp_path: Path) -> None:
    [delivered] = await exchange.control("deliver", **COMPLAINT)
    await exchange.kit.services.desk.accept(delivered["answer"]["number"], version=1, by=LI)
    await exchange.kit.until_quiet()
    again = Book(tmp_path / "city.json").orders[delivered["city_id"]]
    assert (again.number, again.state) == (delivered["answer"]["number"], "accepted")


# --- what is refused


def forged(
    method: str, path: str, body: bytes, *, secret: str, client: str = "city-12345", age_s: int = 0
) -> dict[str, str]:
    timestamp, nonce = str(int(time.time()) - age_s), "0123456789abcdef" + str(time.monotonic_ns())
    lines = [method, path, timestamp, nonce, hashlib.sha256(body).hexdigest()]
    signature = hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()
    names = ("X-City-Client", "X-City-Timestamp", "X-City-Nonce", "X-City-Signature")
    return dict(zip(names, (client, timestamp, nonce, signature), strict=True))


async def test_only_the_city_hotline_s_fresh_and_unchanged_requests_are_let_in(exchange: Exchange) -> None:
    right = exchange.settings.peer_secret.get_secret_value()
    attempts = {
        "none": {},
        "another secret": forged("PUT", ORDER, BODY, secret="guessed"),
        "our own secret": forged("PUT", ORDER, BODY, secret=exchange.settings.secret.get_secret_value()),
        "another client": forged("PUT", ORDER, BODY, secret=right, client="hotline-12329"),
        "old": forged("PUT", ORDER, BODY, secret=right, age_s=301),
        "from the future": forged("PUT", ORDER, BODY, secret=right, age_s=-302),
        "another body": forged("PUT", ORDER, BODY + b" ", secret=right),
        "another path": forged("PUT", ORDER + "9", BODY, secret=right),
        "another method": forged("GET", ORDER, BODY, secret=right),
        "no nonce": {**forged("PUT", ORDER, BODY, secret=right), "X-City-Nonce": "short"},
        "no digits": {**forged("PUT", ORDER, BODY, secret=right), "X-City-Timestamp": "now"},
        "nothing signed": {**forged("PUT", ORDER, BODY, secret=right), "X-City-Signature": ""},
        "umlauts": {**forged("PUT", ORDER, BODY, secret=right), "X-City-Signature": "ä"},
    }
    for what, headers in attempts.items():
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        response = await exchange.gateway.put(ORDER, content=BODY, headers=encoded)
        assert (response.status_code, response.json()["code"]) == (401, "unauthorized"), what
    async with exchange.kit.database.read() as connection:
        assert (await connection.execute(select(contacts))).all() == []


@pytest.mark.parametrize("target", [b"/a\x00b", b"/\xff\xfe", b"/" + b"a" * 70_000])
async def test_a_target_no_client_sends_is_not_signed(exchange: Exchange, target: bytes) -> None:
    guard = SqlChannelStore(exchange.kit.database, clock=exchange.kit.clock)
    headers = {name.lower(): value for name, value in forged("GET", "/", b"", secret="guessed").items()}
    with pytest.raises(NotSigned):
        await CityVerifier(exchange.settings, guard).check("GET", target, headers, b"")


async def test_a_request_that_was_listened_to_cannot_be_sent_again(exchange: Exchange) -> None:
    headers = forged("PUT", ORDER, BODY, secret=exchange.settings.peer_secret.get_secret_value())
    told = await asyncio.gather(*(exchange.gateway.put(ORDER, content=BODY, headers=headers) for _ in range(5)))
    assert sorted(each.status_code for each in told) == [201, 401, 401, 401, 401]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad_request"),
        (b"not json", "bad_request"),
        (b"[]", "bad_request"),
        (b"\xff\xfe", "bad_request"),
        (b'{"type": "complaint"}', "bad_request"),
        (b'{"type": "insult", "text": "x"}', "bad_request"),
        (b'{"type": "complaint", "text": ""}', "bad_request"),
        (b'{"type": "complaint", "text": "  \\n"}', "bad_request"),
        (b'{"type": "complaint", "text": "\\u0000\\u0001"}', "bad_request"),
        (b'{"type": "complaint", "text": 5}', "bad_request"),
        (b'{"type": "complaint", "text": "x", "confidential": "yes"}', "bad_request"),
        (b'{"type": "complaint", "text": "x", "mobile": "12345"}', "bad_request"),
        (b'{"type": "complaint", "text": "x", "mobile": "13800138000 OR 1=1"}', "bad_request"),
        (b'{"type": "complaint", "text": "x", "owner": "me"}', "bad_request"),
        (b'{"type": "complaint", "text": "\\ud800"}', "bad_request"),
        (json.dumps({"type": "complaint", "text": "x" * 4001}).encode(), "bad_request"),
        (b'{"type": "complaint", "text": "x", "matter": "no-such-matter"}', "unknown_matter"),
        (b'{"type": "complaint", "text": "x", "matter": "../x"}', "bad_request"),
        (b" " * (64 * 1024 + 1), "too_large"),
    ],
    ids=range(19),
)
async def test_a_malformed_delivery_is_refused_by_name_and_leaves_the_path_free(
    exchange: Exchange, body: bytes, code: str
) -> None:
    refused = await exchange.send("PUT", ORDER, body)
    assert refused.json()["code"] == code
    assert refused.status_code in (400, 413, 422)
    assert (await exchange.send("PUT", ORDER, BODY)).status_code == 201


@pytest.mark.parametrize("city_id", ["-1", "x" * 49, "a.b", "a%20b", "%E4%B8%AD"])
async def test_an_id_that_is_none_is_refused(exchange: Exchange, city_id: str) -> None:
    path = ORDER.replace("12345-000001", city_id)
    response = await exchange.send("GET", path)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


async def test_while_the_database_is_away_nothing_is_done_and_it_is_said(exchange: Exchange, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "orders.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        response = await exchange.send("PUT", ORDER, BODY)
        other.execute("ROLLBACK")
    assert (response.status_code, response.json()["code"], response.headers["Retry-After"]) == (503, "unavailable", "5")
    assert (await exchange.send("PUT", ORDER, BODY)).status_code == 201


async def test_nobody_is_answered_where_the_exchange_is_off(tmp_path: Path) -> None:
    async with exchange_in(tmp_path, enabled=False) as off:
        assert (await off.send("PUT", ORDER, BODY)).status_code == 404


async def test_no_log_has_what_was_delivered(exchange: Exchange) -> None:
    with structlog.testing.capture_logs() as logs:
        await exchange.control("deliver", **COMPLAINT)
        await exchange.send("PUT", ORDER, b'{"type": "complaint", "text": "x", "mobile": "1380013800"}')
        await exchange.gateway.put(ORDER, content=BODY)
        await exchange.kit.until_quiet()
    for secret in ("13800138000", "1380013800", "态度差"):
        assert secret not in str(logs)


# --- our client


async def test_refusals_that_stay_are_told_from_those_that_pass() -> None:
    update = CityUpdate(city_id="C 1/2", sequence=7, number="GD20261125-000018", state=State.ACCEPTED, at=WEDNESDAY)
    seen: list[httpx.Request] = []

    async def answering(status: int) -> str:
        def answer(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return httpx.Response(status)

        client = HttpCityHotline(SETTINGS, transport=httpx.MockTransport(answer))
        try:
            await client.tell(update)
        except (CityRefused, TemporaryError) as error:
            return type(error).__name__
        finally:
            await client.close()
        return ""

    assert [await answering(status) for status in (200, 201)] == ["", ""]
    assert {await answering(status) for status in (400, 404, 409, 413, 422)} == {"CityRefused"}
    assert {await answering(status) for status in (302, 401, 408, 429, 500, 503)} == {"TemporaryError"}
    assert seen[0].url.raw_path == b"/v1/orders/C%201%2F2/updates/7"
    assert {"x-city-client", "x-city-timestamp", "x-city-nonce", "x-city-signature"} <= set(seen[0].headers)
    assert len({request.headers["x-city-nonce"] for request in seen}) == len(seen)


def test_the_signature_is_the_one_in_the_document() -> None:
    document = (Path(__file__).parents[3] / "docs/city-hotline-api.yaml").read_text(encoding="utf-8")
    request = httpx.Request("GET", "http://gateway" + ORDER)
    [signed] = CitySignature(SETTINGS).auth_flow(request)
    lines = ["GET", ORDER, "1795575600", "0123456789abcdef", hashlib.sha256(b"").hexdigest()]
    secret = SETTINGS.peer_secret.get_secret_value().encode()
    assert hmac.new(secret, "\n".join(lines).encode(), hashlib.sha256).hexdigest() in document
    assert signed.headers["X-City-Client"] == "hotline-12329"
