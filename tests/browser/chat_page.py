"""The citizen's chat page as a test uses it: by what people see and by its roles."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

TIME_LIMIT_MS = 10_000


class ChatPage:
    """One visitor at the chat page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = f"{url}/chat"
        self.field = page.get_by_role("textbox", name="输入您的问题")
        self.send_button = page.get_by_role("button", name="发送", exact=True)
        self.agent_button = page.get_by_role("button", name="转人工，请坐席来回答")
        self.large_button = page.get_by_role("button", name="A+ 大字显示")
        self.skip_link = page.get_by_role("link", name="跳到输入框")
        self.log = page.get_by_role("log", name="对话记录")
        self.own = page.locator('.row[data-author="citizen"]')
        self.answers = page.locator('.row:not([data-author="citizen"])')
        self.chips = page.get_by_role("group", name="快捷回复").get_by_role("button")
        self.quick = page.locator("#welcome").get_by_role("button")
        self.error = page.get_by_role("alert")
        self.link = page.locator("#link")
        self.retry = page.get_by_role("button", name="未送达，点此重发")
        self.new_lines = page.get_by_role("button", name="有新消息")
        self.scroller = page.locator("#scroller")

    def open(self) -> ChatPage:
        """Loaded, and the greeting is there."""
        self.page.goto(self.url)
        expect(self.answers.first).to_be_visible(timeout=TIME_LIMIT_MS)
        return self

    def reload(self) -> None:
        """Loaded again, with the conversation shown."""
        self.page.reload()
        expect(self.log).to_have_attribute("aria-busy", "false", timeout=TIME_LIMIT_MS)

    def ask(self, text: str) -> Locator:
        """Typed and sent with the button; the first new answer, once it is there."""
        before = self.answers.count()
        self.field.fill(text)
        self.send_button.click()
        return self.answer_after(before)

    def answer_after(self, count: int) -> Locator:
        """The answer that follows the first ``count`` ones."""
        answer = self.answers.nth(count)
        expect(answer).to_be_visible(timeout=TIME_LIMIT_MS)
        return answer

    def scroll_to_top(self) -> None:
        """The reader has gone back to the beginning."""
        self.scroller.evaluate("node => { node.scrollTop = 0 }")

    def distance_to_end(self) -> float:
        """Pixels of the conversation below what is in view."""
        distance: float = self.scroller.evaluate("node => node.scrollHeight - node.scrollTop - node.clientHeight")
        return distance

    def is_wider_than_screen(self) -> bool:
        """True when the page would have to be moved sideways."""
        return bool(
            self.page.evaluate(
                "() => [document.documentElement, document.querySelector('#scroller')]"
                ".some(node => node.scrollWidth > node.clientWidth)"
            )
        )
