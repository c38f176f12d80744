"""A citizen, two agents and a supervisor on the real processes, each in a browser of his own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from desk_page import DeskPage
from playwright.sync_api import Browser, Page, expect

from hotline.services.staff.members import DEMO_PASSWORD
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.stack]

TIME_LIMIT_MS = 20_000
SERIOUS = ("serious", "critical")
CITIZENS = {
    "test_a_citizen_goes_from_the_bot_to_two_agents_and_a_supervisor_and_back": "oSbx_li_guoqiang_0000000002",
    "test_who_does_not_want_to_wait_goes_on_with_the_bot": "oSbx_huang_li_000000000003",
    "test_an_agents_goodbye_ends_in_a_rating_and_a_wrap_up": "oSbx_zhou_danyuan_00000004",
}
"""Of sandbox/wechat_account.yml; the first one there belongs to the tests of the phone."""


@contextmanager
def at_desk(chromium: Browser, stack: Stack, name: str, path: str = "/desk") -> Iterator[DeskPage]:
    """``name`` signed in at ``path``; on leaving he takes nothing any more."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN", timezone_id="Asia/Shanghai")
    context.set_default_timeout(TIME_LIMIT_MS)
    page = context.new_page()
    page.goto(f"{stack.gateway}{path}")
    page.get_by_label("用户名").fill(name)
    page.get_by_label("密码").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url(f"**{path}")
    desk = DeskPage(page, stack.gateway)
    try:
        yield desk
    finally:
        page.goto(f"{stack.gateway}/desk")
        sets(desk, "小休")
        context.close()


def sets(desk: DeskPage, state: str) -> None:
    button = desk.state.get_by_role("button", name=state, exact=True)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")


class Phone:
    """The sandbox phone of a citizen who follows the account."""

    def __init__(self, page: Page, stack: Stack, openid: str) -> None:
        self.page = page
        page.goto(f"{stack.sandbox}/phone?as={openid}")
        self.log = page.locator("#log")
        expect(page.locator("#follow").or_(page.locator("#to-input"))).to_have_count(2)
        if page.locator("#follow").is_visible():
            page.locator("#follow").click()
        expect(self.log).to_contain_text("智能助手")
        page.locator("#to-input").click()

    def says(self, text: str) -> None:
        field = self.page.get_by_role("textbox")
        field.fill(text)
        field.press("Enter")

    def hears(self, text: str) -> None:
        expect(self.log).to_contain_text(text)


@pytest.fixture
def phone(chromium: Browser, stack: Stack, request: pytest.FixtureRequest) -> Iterator[Phone]:
    """A citizen of its own for every test: what one leaves behind is no other's conversation."""
    context = chromium.new_context(viewport={"width": 900, "height": 900}, locale="zh-CN")
    context.set_default_timeout(TIME_LIMIT_MS)
    yield Phone(context.new_page(), stack, CITIZENS[request.node.name.partition("[")[0]])
    context.close()


def accepts(desk: DeskPage, *, who_said: str) -> None:
    """The offer rings and is taken by keyboard; what was said before is there."""
    expect(desk.offers).to_have_count(1)
    desk.page.keyboard.press("Alt+a")
    expect(desk.line(who_said).first).to_be_visible()


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['help']}" for each in found if each["impact"] in SERIOUS]


def test_a_citizen_goes_from_the_bot_to_two_agents_and_a_supervisor_and_back(
    chromium: Browser, stack: Stack, phone: Phone
) -> None:
    with ExitStack() as desks:
        first = desks.enter_context(at_desk(chromium, stack, "agent1"))
        second = desks.enter_context(at_desk(chromium, stack, "agent2"))
        boss = desks.enter_context(at_desk(chromium, stack, "supervisor1", "/supervisor"))
        sets(first, "就绪")
        phone.says("租房提取一个月能取多少")
        phone.hears("2000元")
        phone.says("转人工")
        phone.hears("正在为您转人工")
        accepts(first, who_said="租房提取一个月能取多少")
        phone.hears("坐席1001为您服务")
        first.say("您好，请问您有备案的租赁合同吗？")
        phone.hears("您好，请问您有备案的租赁合同吗？")
        phone.says("有的，已经备案了")
        expect(first.line("有的，已经备案了")).to_be_visible()
        assert violations(first.page) == []

        sets(second, "就绪")
        first.page.keyboard.press("Alt+t")
        expect(first.dialog).to_be_visible()
        first.dialog.locator(".target", has_text="陈默").click()
        first.dialog.get_by_role("textbox").fill("备案过了，请核一下额度")
        first.dialog.get_by_role("button", name="转接", exact=True).click()
        phone.hears("正在为您转给更合适的同事")
        accepts(second, who_said="有的，已经备案了")
        expect(second.middle).to_contain_text("备案过了，请核一下额度")
        second.say("我来接着为您看。")
        phone.hears("我来接着为您看。")

        boss.page.locator("[data-monitor]").first.click()
        expect(boss.line("我来接着为您看。")).to_be_visible()
        assert violations(boss.page) == []
        boss.page.get_by_label("悄悄话").fill("先说结论再说依据")
        boss.page.get_by_role("button", name="发给坐席").click()
        expect(second.notes.last).to_contain_text("先说结论再说依据")
        boss.page.get_by_role("button", name="接管").click()
        phone.hears("坐席2001为您服务")
        expect(second.field).to_be_hidden()
        assert "先说结论" not in phone.log.inner_text()
        assert first.problems + second.problems + boss.problems == []


def test_who_does_not_want_to_wait_goes_on_with_the_bot(chromium: Browser, stack: Stack, phone: Phone) -> None:
    with at_desk(chromium, stack, "agent1") as desk:
        sets(desk, "忙碌")
        phone.says("转人工")
        phone.hears("排在第一位")
        phone.says("不等了")
        phone.hears("已取消排队")
        phone.says("离职后公积金怎么取")
        phone.hears("封存")


def test_an_agents_goodbye_ends_in_a_rating_and_a_wrap_up(chromium: Browser, stack: Stack, phone: Phone) -> None:
    with at_desk(chromium, stack, "agent1") as desk:
        sets(desk, "就绪")
        phone.says("转人工")
        accepts(desk, who_said="转人工")
        desk.say("已经为您查到了。")
        phone.hears("已经为您查到了。")
        desk.page.keyboard.press("Alt+e")
        expect(desk.dialog).to_be_visible()
        phone.hears("本次人工服务已结束")
        phone.hears("满意")
        phone.says("非常满意")
        phone.hears("谢谢")
        reason = desk.dialog.get_by_role("combobox", name="咨询事项")
        reason.fill("租房提取")
        reason.press("Enter")
        expect(reason).to_have_value("租房提取")
        desk.dialog.get_by_label("已解决").check()
        desk.dialog.get_by_role("button", name="保存小结").click()
        expect(desk.dialog).to_be_hidden()
        expect(desk.rows).to_have_count(0)
        assert desk.problems == []
