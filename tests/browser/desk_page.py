"""The agent desk as an agent sees and uses it."""

from __future__ import annotations

import time
from typing import Any

import httpx
from playwright.sync_api import Browser, Locator, Page, expect

TIME_LIMIT_MS = 10_000


class DeskPage:
    """One member of staff at the desk. ``problems``: what the page's scripts stumbled over."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))
        self.state = page.locator("#state")
        self.offers = page.locator(".offer")
        self.rows = page.locator("#list .row")
        self.queue_tab = page.get_by_role("tab", name="排队")
        self.middle = page.locator("#middle")
        self.who = page.locator(".talk-who")
        self.field = page.get_by_role("textbox", name="回复内容")
        self.send_button = page.get_by_role("button", name="发送", exact=True)
        self.send_mode = page.get_by_label("发送方式")
        self.lines = page.locator("#log .line")
        self.own = page.locator("#log .line-agent")
        self.notes = page.locator("#log .note")
        self.outgoing = page.locator("#outgoing .line")
        self.problem = page.locator("#composer-problem")
        self.suggestions = page.locator(".suggestion")
        self.canned = page.get_by_role("listbox", name="快捷语").get_by_role("option")
        self.dialog = page.get_by_role("dialog")
        self.link = page.locator("#link")
        self.live = page.locator("#live")
        self.toasts = page.locator(".toast")
        self.scroller = page.locator("#scroller")

    def open(self, conversation: str = "") -> DeskPage:
        """Loaded, live, and with ``conversation`` open."""
        self.page.goto(f"{self.url}/desk" + (f"?c={conversation}" if conversation else ""))
        if conversation:
            expect(self.middle).to_have_attribute("data-id", conversation, timeout=TIME_LIMIT_MS)
        return self

    def row(self, conversation: str) -> Locator:
        return self.page.locator(f"#row-{conversation}")

    def unread(self, conversation: str) -> Locator:
        return self.row(conversation).locator(".unread")

    def say(self, text: str) -> None:
        self.field.fill(text)
        self.field.press("Enter")

    def line(self, text: str) -> Locator:
        return self.page.locator("#log .line-text", has_text=text)

    def tab(self, name: str) -> Locator:
        return self.page.get_by_role("tab", name=name)

    def is_wider_than_screen(self) -> bool:
        """True when any column would have to be moved sideways."""
        return bool(
            self.page.evaluate(
                "() => [document.documentElement, ...document.querySelectorAll('.left, .middle, .right, #scroller')]"
                ".some(node => node.scrollWidth > node.clientWidth + 1)"
            )
        )


class Town:
    """Citizens and colleagues, played through the doors of the desk's test application."""

    def __init__(self, url: str) -> None:
        self.url = url

    def play(self, act: str, **given: str) -> None:
        httpx.post(f"{self.url}/fake/{act}", params=given, trust_env=False).raise_for_status()

    def says(self, conversation: str, text: str) -> None:
        self.play("say", conversation=conversation, text=text)

    def asked(self, what: str) -> list[str]:
        """What the desk was asked to do under this name."""
        told: list[list[str]] = httpx.get(f"{self.url}/fake/asked", trust_env=False).json()
        return [given for name, given in told if name == what]

    def until_live(self) -> None:
        """A page has its stream of events open."""
        for _ in range(100):
            if self.asked("follow"):
                return
            time.sleep(0.05)
        raise AssertionError("no page has opened its stream")

    def sit_down(self, browser: Browser, staff: str, **options: Any) -> Page:
        """A browser profile in which ``staff`` is signed in."""
        size = options.pop("size", (1366, 768))
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="zh-CN", timezone_id="Asia/Shanghai", **options
        )
        context.set_default_timeout(TIME_LIMIT_MS)
        context.add_cookies([{"name": "staff", "value": staff, "url": self.url}])
        return context.new_page()
