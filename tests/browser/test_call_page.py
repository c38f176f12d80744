"""The sandbox's telephone page in a real Chromium, on a gateway that holds calls by relay."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from sandbox.twilio import router
from sandbox.twilio_parties import Account
from tests.contract.channels.relay_line import TWILIO, made, served

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("GJJ_TEST_PICTURES")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def call_page(tmp_path: Path, chromium_page: Page) -> Iterator[Page]:
    """The page, with both servers in a thread of their own."""
    at_gateway, at_sandbox = _free_port(), _free_port()
    public = f"http://127.0.0.1:{at_gateway}"
    settings = TWILIO.model_copy(update={"api_base": f"http://127.0.0.1:{at_sandbox}/twilio"})
    token = settings.auth_token.get_secret_value()
    account = Account(sid=settings.account_sid, token=token, number=settings.number, gateway=public)
    sandbox = FastAPI()
    sandbox.include_router(router(account, pace=25.0))
    ready, over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with (
            made(tmp_path, settings, public) as (app, _, _),
            served(app, at_gateway),
            served(sandbox, at_sandbox),
        ):
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    chromium_page.set_viewport_size({"width": 1100, "height": 900})
    chromium_page.goto(f"http://127.0.0.1:{at_sandbox}/call")
    try:
        yield chromium_page
    finally:
        chromium_page.close()
        over.set()
        thread.join(timeout=30)


def _picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png")


def test_call_by_relay_is_talked_broken_into_and_passed_on(call_page: Page) -> None:
    page = call_page
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    expect.set_options(timeout=15_000)
    talk, words = page.locator("#talk"), page.get_by_label("要说的话")
    page.get_by_role("button", name="拨打").click()
    expect(talk.get_by_text("您好。")).to_be_visible()
    expect(page.locator("#mode")).to_have_text("实时通话")
    words.fill("租房提取要带什么材料，" * 12)
    page.get_by_role("button", name="说", exact=True).click()
    expect(page.locator("#state")).to_have_text("正在说，可以打断")
    expect(words).to_be_enabled()
    page.wait_for_timeout(600)
    words.press_sequentially("等一下")
    expect(talk.locator("del")).to_have_count(1)
    _picture(page, "broken_into")
    page.get_by_role("button", name="说", exact=True).click()
    expect(talk.get_by_text("您说：等一下。")).to_be_visible()

    page.locator("#keys").get_by_role("button", name="0").click()
    expect(page.locator("#state")).to_have_text("正在振铃")
    _picture(page, "ringing")
    page.get_by_role("button", name="接听", exact=True).click()
    expect(page.locator("#state")).to_have_text("正在与坐席通话")
    expect(talk.locator(".whisper")).to_contain_text("租房。")
    _picture(page, "agent")
    page.get_by_role("button", name="坐席挂断").click()
    expect(talk.get_by_text("还有问题吗？")).to_be_visible()
    page.get_by_role("button", name="模拟线路中断").click()
    expect(talk.get_by_text("刚才线路断了一下")).to_be_visible()
    expect(page.locator("#state")).to_have_text(re.compile("正在听您说|正在说"))
    page.get_by_role("button", name="挂断", exact=True).click()
    expect(page.locator("#state")).to_have_text("通话结束")
    expect(page.get_by_role("button", name="拨打")).to_be_enabled()
    _picture(page, "ended")
    assert problems == []


def test_page_fits_a_narrow_window(call_page: Page) -> None:
    call_page.set_viewport_size({"width": 390, "height": 844})
    assert call_page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    _picture(call_page, "narrow")
