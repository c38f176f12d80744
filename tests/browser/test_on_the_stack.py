"""The page and the sandbox phone on the real processes. ``GJJ_PICTURES=docs/pictures`` keeps what they look like."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from chat_page import ChatPage
from playwright.sync_api import Browser, Page, expect

from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.stack]

QUESTION = "租房提取一个月能取多少"
TIME_LIMIT_MS = 15_000


def keep(page: Page, name: str) -> None:
    if folder := os.environ.get("GJJ_PICTURES"):
        page.screenshot(path=str(Path(folder) / name))


def sharp_page(chromium: Browser, width: int, height: int) -> Page:
    context = chromium.new_context(viewport={"width": width, "height": height}, locale="zh-CN", device_scale_factor=1.5)
    page = context.new_page()
    page.set_default_timeout(TIME_LIMIT_MS)
    return page


def test_a_citizen_chats_on_the_page(chromium: Browser, stack: Stack) -> None:
    page = sharp_page(chromium, 390, 844)
    chat = ChatPage(page, stack.gateway).open()
    expect(chat.ask(QUESTION)).to_contain_text("2000元")
    expect(chat.ask("那需要什么材料？")).to_contain_text("不用交材料")
    keep(page, "chat.png")
    chat.reload()
    expect(chat.log).to_contain_text("2000元")
    before = chat.answers.count()
    chat.agent_button.click()
    expect(chat.answer_after(before)).to_contain_text("登记号")
    page.context.close()


def test_a_citizen_chats_on_the_sandbox_phone(chromium: Browser, stack: Stack) -> None:
    page = sharp_page(chromium, 900, 900)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{stack.sandbox}/phone")
    page.locator("#follow").click()
    log = page.locator("#log")
    expect(log).to_contain_text("智能助手", timeout=TIME_LIMIT_MS)
    page.locator("#to-input").click()
    field = page.get_by_role("textbox")
    field.fill(QUESTION)
    field.press("Enter")
    expect(log).to_contain_text("2000元", timeout=TIME_LIMIT_MS)
    keep(page, "phone.png")
    log.get_by_role("link", name="要什么材料").or_(log.get_by_role("button", name="要什么材料")).last.click()
    expect(log).to_contain_text("材料", timeout=TIME_LIMIT_MS)
    assert problems == []
    page.context.close()
