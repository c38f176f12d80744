"""The sandbox's city hotline by itself: whose updates it takes, what it shows."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from sandbox.city_hotline.app import create_app
from sandbox.city_hotline.config import CityConfig
from sandbox.city_hotline.signing import NotSigned, Signatures, signed
from tests.contract.city_hotline.conftest import COMPLAINT, Exchange

pytestmark = pytest.mark.anyio

UPDATE = (
    b'{"number": "GD20261125-000018", "state": "accepted", "at": "2026-11-25T03:00:00Z",'
    b' "reason": null, "conclusion": null}'
)


async def tell(exchange: Exchange, path: str, body: bytes, *, secret: str = "") -> httpx.Response:
    own = exchange.settings
    path = f"/city-hotline/v1{path}"
    headers = signed("PUT", path, body, client=own.client_id, secret=secret or own.secret.get_secret_value())
    return await exchange.city.put(path, content=body, headers=headers)


async def test_an_update_is_taken_once_and_only_of_orders_it_gave_away(exchange: Exchange) -> None:
    city_id = (await exchange.control("deliver", **COMPLAINT))[0]["city_id"]
    path = f"/orders/{city_id}/updates/3"
    assert [(await tell(exchange, path, UPDATE)).status_code for _ in range(2)] == [200, 200]
    other = UPDATE.replace(b"accepted", b"rejected")
    assert (await tell(exchange, path, other)).json()["code"] == "key_reused"
    assert (await tell(exchange, "/orders/nobodys/updates/1", UPDATE)).status_code == 404
    assert (await tell(exchange, path, UPDATE, secret="guessed")).status_code == 401
    assert (await tell(exchange, path, b"{}")).status_code == 400
    assert (await tell(exchange, path, b" " * 70_000)).status_code == 413
    [known] = (await exchange.book())["orders"]
    assert [update["sequence"] for update in known["updates"]] == [3]


async def test_a_nonce_and_an_old_time_are_refused() -> None:
    now = [1_795_575_600.0]
    signatures = Signatures("c", "s", now=lambda: now[0])
    headers = {name.lower(): value for name, value in signed("GET", "/x", b"", client="c", secret="s").items()}
    now[0] = float(headers["x-city-timestamp"])
    signatures.check("GET", "/x", headers, b"")
    with pytest.raises(NotSigned, match="nonce"):
        signatures.check("GET", "/x", headers, b"")
    now[0] += 301
    with pytest.raises(NotSigned, match="timestamp"):
        signatures.check("GET", "/x", headers, b"")


async def test_the_page_lists_orders_as_words_and_takes_another(exchange: Exchange) -> None:
    empty = await exchange.city.get("/city-hotline/")
    assert "还没有转派工单" in empty.text
    form = {"kind": "complaint", "text": "<script>alert(1)</script>窗口慢"}
    sent = await exchange.city.post("/city-hotline/", data=form)
    assert (sent.status_code, sent.headers["location"]) == (303, "/city-hotline/")
    page = await exchange.city.get("/city-hotline/")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;窗口慢" in page.text
    assert "<script>" not in page.text
    assert "已登记" in page.text
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    style = await exchange.city.get("/city-hotline/city.css")
    assert style.headers["content-type"].startswith("text/css")


async def test_a_gateway_that_is_away_is_told_of_as_status_0(exchange: Exchange) -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there")

    app = create_app(CityConfig(), client=httpx.AsyncClient(transport=httpx.MockTransport(away)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://city") as client:
        told = (await client.post("/control/deliver", json=COMPLAINT)).json()
        assert [(each["status"], each["answer"]["code"]) for each in told] == [(0, "ConnectError")]
        [kept] = (await client.get("/control/orders")).json()["orders"]
        assert (kept["number"], kept["state"]) == ("", "")
        assert "未送达" in (await client.get("/")).text


async def test_what_makes_it_act_is_for_the_same_machine_alone(exchange: Exchange) -> None:
    transport = exchange.city._transport
    assert isinstance(transport, httpx.ASGITransport)
    elsewhere = httpx.ASGITransport(transport.app, client=("192.0.2.1", 4000))
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://city") as client:
        assert (await client.get("/city-hotline/control/orders")).status_code == 404
        assert (await client.post("/city-hotline/control/faults", json={"mode": "error"})).status_code == 404


def test_it_reads_the_application_s_variables() -> None:
    given = {
        "GJJ_CITY_HOTLINE__SECRET": "ours",
        "GJJ_CITY_HOTLINE__PEER_SECRET": "theirs",
        "GJJ_GATEWAY__PUBLIC_URL": "http://gateway",
        "GJJ_STATE_DIR": "/state",
    }
    config = CityConfig.from_env(given)
    assert (config.secret, config.own_secret, config.gateway_url) == ("ours", "theirs", "http://gateway")
    assert config.file == Path("/state/sandbox/city-hotline.json")
    assert CityConfig.from_env({}).client_id == "hotline-12329"
    assert "theirs" not in repr(config)
