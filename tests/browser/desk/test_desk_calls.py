"""Calls at the desk in a real browser: their state as it changes, recordings, and the wall."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk_page import DeskPage, Town

pytestmark = pytest.mark.browser


@pytest.fixture
def wang(wang: DeskPage, town: Town) -> DeskPage:
    """With a caller he speaks with, and another one offered to him."""
    town.play("call/come")
    return wang


@pytest.fixture
def shen(chromium: Browser, town: Town) -> Iterator[Page]:
    page = town.sit_down(chromium, "shen")
    yield page
    page.context.close()


def test_call_strip_follows_the_call(wang: DeskPage, town: Town) -> None:
    wang.open("c-call")
    town.until_live()
    strip = wang.page.locator("#call-strip")
    expect(strip).to_contain_text("通话中")
    expect(wang.field).to_have_attribute("placeholder", "记录要点，打 / 选快捷语")
    town.play("call/mark", conversation="c-call", mark="agent_gone")
    expect(strip).to_contain_text("分机已挂断")
    expect(wang.live).to_have_text("何**：分机已挂断")
    expect(wang.page.locator("#call-hint")).to_have_text("输入的文字会读给来电人听")
    expect(wang.field).to_have_attribute("placeholder", "输入要读给来电人听的话，打 / 选快捷语")
    town.play("call/mark", conversation="c-call", mark="recording_paused")
    expect(strip).to_contain_text("录音暂停")
    town.play("call/hang-up", conversation="c-call")
    expect(strip).to_contain_text("来电人挂断")
    expect(wang.page.locator("#call-hint")).to_contain_text("文字不会送达")


def test_time_of_a_call_goes_on(wang: DeskPage) -> None:
    wang.open("c-call")
    whole = wang.page.locator(".call-facts .tick")
    before = whole.inner_text()
    expect(whole).not_to_have_text(before)


def test_course_of_a_call_stays_open_while_it_grows(wang: DeskPage, town: Town) -> None:
    wang.open("c-call")
    town.until_live()
    wang.page.locator(".call-course summary").click()
    town.play("call/mark", conversation="c-call", mark="agent_gone")
    expect(wang.page.locator(".call-course li").first).to_contain_text("坐席分机挂断")
    expect(wang.page.locator(".call-course li").nth(1)).to_be_visible()


def test_line_the_caller_broke_into_says_what_was_heard(wang: DeskPage, town: Town) -> None:
    wang.open("c-call")
    town.until_live()
    expect(wang.page.locator(".heard")).to_have_text("被打断，只听到前 23 个字")
    town.play("call/mark", conversation="c-call", mark="broke_in", heard="5")
    last = wang.page.locator("#log .line-system, #log .line-bot").last
    expect(last.locator(".heard")).to_have_text("被打断，只听到前 5 个字")


def test_who_accepts_a_caller_sees_his_telephone_ring_and_that_it_was_missed(wang: DeskPage, town: Town) -> None:
    wang.open()
    town.until_live()
    wang.page.keyboard.press("Alt+a")
    expect(wang.toasts).to_contain_text("正在呼叫您的分机 8001，请接听")
    expect(wang.middle).to_have_attribute("data-id", "c-ring")
    town.play("call/mark", conversation="c-ring", mark="agent_rings", staff="wang", extension="8001")
    strip = wang.page.locator("#call-strip")
    expect(strip).to_contain_text("分机振铃")
    expect(strip).to_contain_text("正在呼叫您的分机 8001 …")
    town.play("call/mark", conversation="c-ring", mark="agent_missed", why="no_answer")
    expect(wang.toasts.filter(has_text="分机未接，已放回队列")).to_be_visible()


def test_agent_ends_the_call_and_writes_down_what_it_was(wang: DeskPage, town: Town) -> None:
    wang.open("c-call")
    wang.page.get_by_role("button", name="结束通话").click()
    expect(wang.toasts).to_contain_text("通话已结束，请填写小结")
    expect(wang.dialog).to_contain_text("会话小结")
    assert town.asked("end") == ["c-call"]


def test_agent_hears_his_call_once_he_has_said_why(wang: DeskPage, town: Town) -> None:
    town.play("call/hang-up", conversation="c-call")
    wang.open("c-call")
    wang.tab("历史").click()
    side = wang.page.locator("#side")
    side.get_by_role("button", name="通话录音").first.click()
    side.get_by_role("button", name="记入审计并播放").click()
    expect(side.get_by_role("alert")).to_have_text("请先选择听录音的用途。")
    side.get_by_label("听录音的用途").select_option("本人核对")
    side.get_by_role("button", name="记入审计并播放").click()
    player = side.locator("audio")
    expect(player).to_have_js_property("readyState", 4)
    assert player.evaluate("node => node.duration") == pytest.approx(3, abs=0.1)
    expect(side.locator(".pauses button")).to_have_text(["0:00", "0:01"])
    looks = httpx.get(f"{town.url}/fake/looks", trust_env=False).json()
    assert looks == [["call-c-call", "wang", "own_check"]]


def test_auditor_finds_a_recording_by_its_conversation(shen: Page, wang: DeskPage, town: Town) -> None:
    town.play("call/hang-up", conversation="c-call")
    shen.goto(f"{town.url}/desk/recordings")
    shen.get_by_label("会话编号").fill("nothing")
    shen.get_by_role("button", name="查找").click()
    expect(shen.get_by_role("alert").first).to_be_visible()
    shen.get_by_label("会话编号").fill("c-call")
    shen.get_by_role("button", name="查找").click()
    shen.get_by_label("听录音的用途").select_option("投诉核查")
    shen.get_by_role("button", name="记入审计并播放").click()
    expect(shen.locator("audio")).to_have_js_property("readyState", 4)


def test_wall_shows_todays_calls_and_a_call_that_is_looked_on(wang: DeskPage, lin: Page, town: Town) -> None:
    lin.goto(f"{town.url}/supervisor")
    expect(lin.locator(".hotline")).to_contain_text("自助服务率 53%")
    lin.locator("#definitions summary").click()
    expect(lin.locator(".definitions dl")).to_contain_text("自助服务量")
    lin.locator("#w-c-call").click()
    expect(lin.locator("#drawer #call-strip")).to_contain_text("通话中")
    town.play("call/mark", conversation="c-call", mark="agent_gone")
    expect(lin.locator("#drawer #call-strip")).to_contain_text("分机已挂断")


def test_supervisor_sees_what_is_said_to_somebody_nobody_holds(wang: DeskPage, lin: Page, town: Town) -> None:
    lin.goto(f"{town.url}/supervisor")
    lin.locator("#w-c-wait-1").click()
    expect(lin.locator("#drawer .line")).to_have_count(1)
    town.says("c-wait-1", "还在排队吗")
    expect(lin.locator("#drawer .line")).to_have_count(2)


@pytest.mark.parametrize("path", ["/desk?c=c-call", "/supervisor"])
def test_pages_with_calls_fit_the_screen(wang: DeskPage, lin: Page, town: Town, path: str) -> None:
    page = wang.page if path.startswith("/desk") else lin
    page.goto(f"{town.url}{path}")
    expect(page.locator("#call-strip, .hotline")).to_be_visible()
    assert not page.evaluate(
        "() => [document.documentElement, ...document.querySelectorAll('.middle, .call-strip, .hotline')]"
        ".some(node => node.scrollWidth > node.clientWidth + 1)"
    )
