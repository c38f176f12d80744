"""A citizen who proves who he is, in a real browser: with the page's script, without it, and from the sandbox phone.

``GJJ_PICTURES=docs/pictures`` keeps what it looks like."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 60
ID_NUMBER, CARD, CODE = "11010519491231002X", "6222020200112233445", "246810"
OPENID = "oSbx_li_guoqiang_0000000002"


@pytest.fixture(scope="module")
def pages_url() -> Iterator[str]:
    """The identity pages over identity in memory, with the chat page and the sandbox phone beside them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    folder = ROOT / "tests" / "unit" / "web" / "citizen"
    command = [sys.executable, "-m", "uvicorn", "--factory", "identity_app:create_app", "--port", port]
    # Open phones hold a connection for ever; they must not keep the process from ending.
    command += ["--timeout-graceful-shutdown", "1"]
    environment = {**os.environ, "PORT": port, "OPENID": OPENID}
    process = subprocess.Popen(
        [*command, "--app-dir", str(folder), "--log-level", "warning"], cwd=ROOT, env=environment
    )
    try:
        _wait_until_open(int(port), process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"the page's process did not open port {port}")


class IdentityPage:
    """One citizen in front of the pages."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.id_number = page.get_by_label("身份证号", exact=True)
        self.card = page.get_by_role("textbox", name="银行卡号")
        self.password = page.get_by_role("textbox", name="查询密码")
        self.consent = page.get_by_role("checkbox")
        self.submit = page.get_by_role("button", name="核对并发送验证码")
        self.code = page.get_by_label("验证码", exact=True)
        self.confirm = page.get_by_role("button", name="确认", exact=True)
        self.again = page.locator('form[action="/id/again"] button')
        self.error = page.get_by_role("alert")
        self.done = page.get_by_role("heading", name="已完成，可以回到对话继续")

    def open(self, token: str) -> IdentityPage:
        self.page.goto(f"{self.url}/chat")
        self.page.goto(f"{self.url}/id/{token}")
        expect(self.page).to_have_url(f"{self.url}/id")
        return self

    def fill(self) -> None:
        self.id_number.fill(ID_NUMBER)
        self.card.fill(CARD)
        self.consent.check()

    def refuse(self, step: str, reason: str, **more: int) -> None:
        """The next ``step`` is refused."""
        query = {"step": step, "reason": reason, **more}
        httpx.post(f"{self.url}/fake/refuse", params=query, trust_env=False).raise_for_status()

    def count(self, step: str) -> int:
        """How often the core was asked for ``step``."""
        told: dict[str, int] = httpx.get(f"{self.url}/fake/counts", trust_env=False).json()
        return told.get(step, 0)


def keep(page: Page, name: str) -> None:
    if folder := os.environ.get("GJJ_PICTURES"):
        page.screenshot(path=str(Path(folder) / name))


@pytest.fixture
def citizen(chromium_page: Page, pages_url: str, request: pytest.FixtureRequest) -> Iterator[IdentityPage]:
    one = IdentityPage(chromium_page, pages_url).open(f"web.bind.{request.node.name}")
    yield one
    assert one.problems == []


def test_citizen_proves_who_he_is(citizen: IdentityPage) -> None:
    citizen.fill()
    citizen.submit.click()
    expect(citizen.page.get_by_text("138****5678")).to_be_visible()
    expect(citizen.code).to_be_focused()
    citizen.code.fill(CODE)
    citizen.page.keyboard.press("Enter")
    expect(citizen.done).to_be_visible()
    citizen.page.get_by_role("link", name="回到对话").click()
    expect(citizen.page).to_have_url(f"{citizen.url}/chat")


def test_everything_works_without_script(chromium: Browser, pages_url: str) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", java_script_enabled=False)
    citizen = IdentityPage(context.new_page(), pages_url).open("web.bind.no_script")
    citizen.refuse("prove", "mismatch", tries=4)
    citizen.id_number.fill(ID_NUMBER)
    citizen.page.get_by_text("查询密码", exact=True).first.click()
    citizen.password.fill("135790")
    citizen.consent.check()
    citizen.submit.click()
    expect(citizen.error).to_contain_text("还可以试4次")
    expect(citizen.id_number).to_have_value("")
    citizen.fill()
    citizen.submit.click()
    citizen.again.click()
    citizen.code.fill(CODE)
    citizen.confirm.click()
    expect(citizen.done).to_be_visible()
    context.close()


def test_refused_attempt_keeps_the_id_number_and_forgets_the_card(citizen: IdentityPage) -> None:
    citizen.refuse("prove", "mismatch", tries=3)
    citizen.fill()
    citizen.submit.click()
    expect(citizen.error).to_be_focused()
    expect(citizen.error).to_be_in_viewport()
    expect(citizen.error).to_contain_text("没有核对上")
    expect(citizen.id_number).to_have_value(ID_NUMBER)
    expect(citizen.card).to_have_value("")
    expect(citizen.consent).to_be_checked()
    stored = citizen.page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert ID_NUMBER not in stored


def test_lost_network_loses_nothing_that_was_typed(citizen: IdentityPage) -> None:
    citizen.fill()
    citizen.page.context.set_offline(True)
    citizen.submit.click()
    expect(citizen.error).to_contain_text("网络不通")
    expect(citizen.card).to_have_value(CARD)
    citizen.page.context.set_offline(False)
    citizen.submit.click()
    expect(citizen.code).to_be_visible()


def test_impatient_clicks_are_one_attempt(citizen: IdentityPage) -> None:
    before = citizen.count("prove")
    citizen.fill()
    citizen.submit.dblclick()
    expect(citizen.code).to_be_visible()
    assert citizen.count("prove") == before + 1


def test_going_back_and_forward_is_harmless(citizen: IdentityPage) -> None:
    citizen.fill()
    citizen.submit.click()
    citizen.code.fill(CODE)
    citizen.confirm.click()
    expect(citizen.done).to_be_visible()
    citizen.page.go_back()
    expect(citizen.page).to_have_url(f"{citizen.url}/chat")
    citizen.page.go_forward()
    expect(citizen.done).to_be_visible()
    citizen.page.reload()
    expect(citizen.done).to_be_visible()


def test_slip_in_the_id_number_is_noticed_before_it_is_sent(citizen: IdentityPage) -> None:
    slip = citizen.page.get_by_text("好像输错了一位")
    citizen.id_number.fill("110105194912310021")
    expect(slip).to_be_visible()
    citizen.id_number.fill(ID_NUMBER[:-1])
    expect(slip).to_be_hidden()
    citizen.page.get_by_role("button", name="末位是X").click()
    expect(citizen.id_number).to_have_value(ID_NUMBER)
    expect(slip).to_be_hidden()


def test_one_of_two_numbers_is_asked_for_by_keyboard_too(citizen: IdentityPage) -> None:
    expect(citizen.card).to_be_visible()
    expect(citizen.password).to_be_hidden()
    citizen.page.get_by_role("radio", name="银行卡号").focus()
    citizen.page.keyboard.press("ArrowRight")
    expect(citizen.password).to_be_visible()
    expect(citizen.card).to_be_hidden()


def test_notice_is_read_without_losing_what_was_typed(citizen: IdentityPage) -> None:
    citizen.fill()
    citizen.page.get_by_role("link", name="身份验证个人信息处理说明").click()
    notice = citizen.page.get_by_role("dialog")
    expect(notice).to_contain_text("保存什么，保存多久")
    notice.get_by_role("link", name="返回填写").click()
    expect(notice).to_have_count(0)
    expect(citizen.card).to_have_value(CARD)


def test_next_code_can_be_asked_for_when_its_time_has_come(citizen: IdentityPage) -> None:
    citizen.page.clock.install()
    citizen.page.reload()
    citizen.fill()
    citizen.submit.click()
    citizen.page.clock.run_for(1000)
    expect(citizen.again).to_contain_text("秒后可以重新发送")
    before = citizen.count("send_again")
    citizen.again.click(force=True)
    citizen.page.clock.run_for(60_000)
    expect(citizen.again).to_have_text("重新发送")
    assert citizen.count("send_again") == before
    citizen.again.click()
    citizen.page.clock.run_for(1000)
    expect(citizen.again).to_contain_text("秒后可以重新发送")
    assert citizen.count("send_again") == before + 1


def test_typed_numbers_leave_the_screen_when_the_link_has_ended(citizen: IdentityPage) -> None:
    citizen.page.clock.install()
    citizen.page.reload()
    citizen.fill()
    citizen.page.clock.run_for(10 * 60_000 + 2000)
    expect(citizen.id_number).to_have_value("")


@pytest.mark.parametrize("size", [(320, 568), (390, 844), (1280, 800)])
@pytest.mark.parametrize("large", [False, True])
def test_nothing_is_wider_than_the_screen_and_fingers_find_everything(
    citizen: IdentityPage, size: tuple[int, int], *, large: bool
) -> None:
    page = citizen.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    if large:
        page.get_by_role("button", name="A+ 大字显示").click()
    citizen.fill()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    small = """() => [...document.querySelectorAll('button, a.button, summary, .segments label, input[type=text]')]
      .filter(node => node.offsetParent).map(node => [node.id || node.className, node.getBoundingClientRect().height])
      .filter(([, height]) => height < 44)"""
    assert page.evaluate(small) == []
    if size[0] >= 390:
        fits = "() => { const n = document.querySelector('#id_number'); return n.scrollWidth <= n.clientWidth; }"
        assert page.evaluate(fits)


def test_link_in_a_message_opens_as_the_one_who_holds_the_phone(
    chromium: Browser, pages_url: str, request: pytest.FixtureRequest
) -> None:
    link = f"{pages_url}/id/wechat.bind.{request.node.name}"
    context = chromium.new_context(viewport={"width": 900, "height": 900}, locale="zh-CN")
    text = f'请先验证身份：<a href="{link}">验证身份</a>'
    for openid, words in (("oSbx_huang_li_000000000003", "不能在这里打开"), (OPENID, "请先确认是您本人")):
        httpx.post(f"{pages_url}/fake/say", params={"openid": openid, "text": text}, trust_env=False)
        phone = context.new_page()
        phone.goto(f"{pages_url}/phone?as={openid}")
        with context.expect_page() as opened:
            phone.get_by_role("link", name="验证身份").last.click()
        expect(opened.value.get_by_role("heading", name=words)).to_be_visible()
        assert "wechat.bind" not in opened.value.url
    context.close()


def test_wechats_own_browser_closes_the_page(chromium_page: Page, pages_url: str) -> None:
    chromium_page.add_init_script("window.WeixinJSBridge = {call: (name) => { window.called = name; }};")
    citizen = IdentityPage(chromium_page, pages_url).open("sms.bind.bridge")
    citizen.fill()
    citizen.submit.click()
    citizen.code.fill(CODE)
    citizen.confirm.click()
    chromium_page.get_by_role("button", name="关闭页面，回到对话").click()
    assert chromium_page.evaluate("window.called") == "closeWindow"


def test_picture_of_the_first_step(chromium: Browser, pages_url: str) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", device_scale_factor=1.5)
    citizen = IdentityPage(context.new_page(), pages_url).open("web.bind.picture")
    expect(citizen.page.get_by_role("heading", level=1)).to_be_in_viewport()
    expect(citizen.card).to_be_in_viewport()
    keep(citizen.page, "identity.png")
    context.close()
