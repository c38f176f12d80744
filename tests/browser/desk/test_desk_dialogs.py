"""Dialogs, panels, keyboard, accessibility and the supervisor's wall in a real browser, over a desk in memory.

``GJJ_PICTURES=docs/pictures`` keeps what they look like."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk_page import DeskPage, Town

pytestmark = pytest.mark.browser


def test_conversation_is_passed_on_with_a_note(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    wang.page.keyboard.press("Alt+t")
    expect(wang.dialog.get_by_role("heading", name="转接会话")).to_be_visible()
    wang.dialog.get_by_label("陈思远").check()
    wang.dialog.get_by_label("给同事的留言").fill("已查过余额")
    wang.dialog.get_by_role("button", name="转接").click()
    expect(wang.dialog).to_be_hidden()
    expect(wang.row("c-rent")).to_have_count(0)
    expect(wang.page.get_by_text("选一个会话开始")).to_be_visible()
    assert town.asked("transfer") == ["('c-rent', None, 'chen', '已查过余额')"]


def test_refused_transfer_says_why_and_keeps_what_was_written(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    wang.page.keyboard.press("Alt+t")
    wang.dialog.get_by_label("贷款组").check()
    wang.dialog.get_by_label("给同事的留言").fill("写了很久的留言")
    town.play("refuse", what="transfer", refusal="unknown_target")
    wang.dialog.get_by_role("button", name="转接").click()
    expect(wang.dialog.get_by_role("alert")).to_contain_text("不在线")
    wang.page.keyboard.press("Escape")
    wang.page.reload()
    expect(wang.middle).to_have_attribute("data-id", "c-rent")
    expect(wang.field).to_be_visible()
    wang.page.keyboard.press("Alt+t")
    expect(wang.dialog.get_by_label("给同事的留言")).to_have_value("写了很久的留言")
    expect(wang.dialog.get_by_label("贷款组")).to_be_checked()


def test_conversation_is_ended_and_wrapped_up_by_keyboard_alone(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    wang.page.keyboard.press("Alt+e")
    reason = wang.dialog.get_by_role("combobox", name="咨询事项")
    expect(reason).to_have_value("租房提取")
    expect(reason).to_be_focused()
    wang.page.keyboard.type("gfxy")
    expect(wang.dialog.get_by_role("option")).to_have_count(0)
    reason.fill("gftq")
    wang.page.keyboard.press("Enter")
    expect(reason).to_have_value("购房提取")
    wang.page.keyboard.press("Tab")
    wang.page.keyboard.press("Space")
    wang.page.keyboard.press("Tab")
    expect(wang.dialog.get_by_label("摘要")).to_be_focused()
    expect(wang.dialog.get_by_label("摘要")).to_have_value("询问租房提取的条件和限额，已答复。")
    wang.dialog.get_by_role("button", name="保存小结").press("Enter")
    expect(wang.dialog).to_be_hidden()
    expect(wang.row("c-rent")).to_have_count(0)
    (filed,) = town.asked("wrap_up")
    assert "reason='withdraw-buy', solved=True" in filed


def test_wrap_up_can_wait(wang: DeskPage) -> None:
    wang.open("c-rent")
    wang.page.keyboard.press("Alt+e")
    wang.dialog.get_by_role("button", name="稍后再填").click()
    expect(wang.row("c-rent")).to_contain_text("待填小结")
    wang.page.keyboard.press("Alt+e")
    expect(wang.dialog.get_by_role("heading", name="会话小结")).to_be_visible()


def test_number_is_revealed_for_a_reason_and_twenty_seconds(wang: DeskPage, town: Town) -> None:
    wang.page.clock.install()
    wang.open("c-rent")
    wang.page.get_by_role("button", name="查看").first.click()
    expect(wang.page.get_by_label("查看原因").first).to_be_focused()
    wang.page.get_by_role("button", name="记入审计并显示").first.click()
    shown = wang.page.get_by_text("11010519491231002X")
    expect(shown).to_be_visible()
    wang.page.clock.run_for(10_000)
    expect(wang.page.get_by_text("10 秒后自动隐藏")).to_be_visible()
    wang.page.clock.run_for(10_500)
    expect(shown).to_have_count(0)
    assert town.asked("reveal") == ["('c-rent', 'id_number', '核对本人身份')"]


def test_note_is_written_beside_and_stands_among_the_lines(wang: DeskPage) -> None:
    wang.open("c-rent")
    wang.page.keyboard.press("Alt+n")
    wang.page.keyboard.type("配偶也在广州缴存")
    wang.page.get_by_role("button", name="保存备注").click()
    expect(wang.notes.last).to_contain_text("配偶也在广州缴存")
    expect(wang.page.get_by_label("新备注")).to_have_value("")
    expect(wang.page.locator("#notes-list .note").first).to_contain_text("配偶也在广州缴存")


def test_knowledge_is_searched_and_inserted(wang: DeskPage) -> None:
    wang.open("c-rent")
    wang.page.keyboard.press("Alt+k")
    expect(wang.page.get_by_role("searchbox")).to_be_focused()
    wang.page.keyboard.type("材料")
    expect(wang.page.locator("#knowledge .entry")).to_have_count(1)
    wang.page.get_by_role("button", name="放入输入框").click()
    expect(wang.field).to_be_focused()
    expect(wang.field).to_have_value(
        "无租赁备案的，只需要本人身份证和一类银行卡，系统自动核验无房信息；有租赁备案的，另需租赁备案号。"
    )
    wang.page.get_by_role("searchbox").fill("没有这回事")
    expect(wang.page.get_by_text("没有找到已审定的答案")).to_be_visible()


def test_somebody_is_picked_out_of_the_queue(wang: DeskPage) -> None:
    wang.open()
    wang.page.keyboard.press("Alt+q")
    expect(wang.queue_tab).to_be_focused()
    wang.page.get_by_role("button", name="取第 3 位").click()
    expect(wang.who).to_have_text("孙*")
    expect(wang.tab("我的会话")).to_have_attribute("aria-selected", "true")


def test_state_is_changed_and_the_keyboard_stays_on_it(wang: DeskPage) -> None:
    wang.open()
    wang.page.get_by_role("button", name="小休").press("Enter")
    expect(wang.state.locator(".state-break")).to_be_visible()
    expect(wang.page.get_by_role("button", name="小休")).to_be_focused()
    expect(wang.page.get_by_role("button", name="小休")).to_have_attribute("aria-pressed", "true")


def test_dialog_keeps_the_keyboard_and_gives_it_back(wang: DeskPage) -> None:
    wang.open("c-rent")
    wang.page.get_by_role("button", name="快捷键").click()
    expect(wang.dialog.get_by_text("接听新会话", exact=True)).to_be_visible()
    for _ in range(4):
        wang.page.keyboard.press("Tab")
        assert wang.page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    wang.page.keyboard.press("Escape")
    expect(wang.page.get_by_role("button", name="快捷键")).to_be_focused()
    wang.page.keyboard.press("?")
    expect(wang.dialog).to_be_visible()


def test_who_is_signed_out_is_told_and_keeps_his_line(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    wang.page.context.clear_cookies()
    wang.say("登录过期时写的")
    expect(wang.link).to_contain_text("登录已过期，请重新登录，写好的内容还在")
    wang.page.context.add_cookies([{"name": "staff", "value": "wang", "url": town.url}])
    wang.link.get_by_role("link", name="去登录").click()
    expect(wang.line("登录过期时写的")).to_have_count(1)


# --- the supervisor ----------------------------------------------------------------------------------------------


def test_supervisor_looks_on_whispers_and_takes_over(wang: DeskPage, lin: Page, town: Town) -> None:
    wang.open("c-rent")
    town.until_live()
    lin.goto(f"{town.url}/supervisor")
    lin.locator("[data-monitor=c-rent]").click()
    expect(lin.get_by_text("旁听中")).to_be_visible()
    lin.wait_for_timeout(500)
    town.says("c-rent", "旁听时说的")
    expect(lin.locator("#log").get_by_text("旁听时说的")).to_be_visible()
    lin.get_by_label("悄悄话").fill("先问他租在哪个区")
    lin.get_by_role("button", name="发给坐席").click()
    expect(wang.notes.last).to_contain_text("先问他租在哪个区")
    wang.field.fill("写到一半被接管")
    lin.get_by_role("button", name="接管").click()
    expect(lin).to_have_url(f"{town.url}/desk?c=c-rent")
    expect(lin.get_by_role("textbox", name="回复内容")).to_be_visible()
    expect(wang.toasts).to_contain_text("已不在您手里")
    expect(wang.row("c-rent")).to_have_count(0)


def test_wall_changes_by_itself_and_keeps_the_keyboard(wang: DeskPage, lin: Page, town: Town) -> None:
    lin.goto(f"{town.url}/supervisor")
    expect(lin.locator("#wall-waiting")).to_have_text("4")
    row = lin.locator("[data-monitor=c-rent]")
    row.focus()
    lin.wait_for_timeout(500)
    wang.open()
    wang.page.keyboard.press("Alt+a")
    expect(lin.locator("#wall-waiting")).to_have_text("3")
    expect(row).to_be_focused()


# --- how it looks ------------------------------------------------------------------------------------------------


def keep(page: Page, name: str) -> None:
    if folder := os.environ.get("GJJ_PICTURES"):
        page.screenshot(path=str(Path(folder) / name))


def violations(page: Page) -> list[str]:
    """What axe-core calls serious or worse, with where it is."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_barrier_is_on_the_desk(chromium: Browser, town: Town, scheme: str) -> None:
    town.play("reset")
    page = town.sit_down(chromium, "wang", color_scheme=scheme)
    desk = DeskPage(page, town.url).open("c-rent")
    expect(desk.suggestions).to_have_count(3)
    found = {"conversation": violations(page)}
    desk.field.press_sequentially("/")
    expect(desk.canned).to_have_count(6)
    found["canned"] = violations(page)
    desk.field.fill("身份证11010519491231002X")
    expect(desk.problem).to_be_visible()
    found["problem"] = violations(page)
    for name in ("知识", "历史", "备注", "工单", "客户"):
        desk.tab(name).click()
        found[name] = violations(page)
    page.get_by_role("button", name="查看").first.click()
    found["reveal"] = violations(page)
    desk.queue_tab.click()
    found["queue"] = violations(page)
    page.keyboard.press("Alt+t")
    expect(desk.dialog).to_be_visible()
    found["transfer"] = violations(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+e")
    expect(desk.dialog.get_by_role("combobox")).to_be_visible()
    found["wrap-up"] = violations(page)
    page.context.close()
    assert {name: each for name, each in found.items() if each} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_barrier_is_on_the_wall(chromium: Browser, town: Town, scheme: str) -> None:
    town.play("reset")
    page = town.sit_down(chromium, "lin", color_scheme=scheme)
    page.goto(f"{town.url}/supervisor")
    found = violations(page)
    page.locator("[data-monitor=c-rent]").click()
    expect(page.get_by_text("旁听中")).to_be_visible()
    found += violations(page)
    page.goto(f"{town.url}/desk")
    found += violations(page)
    page.context.close()
    assert found == []


def test_chosen_colours_hold_on_every_page_and_after_a_reload(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    switch = wang.page.get_by_role("button", name="切换浅色或深色")
    light = wang.page.evaluate("getComputedStyle(document.body).backgroundColor")
    switch.click()
    dark = wang.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    expect(switch.locator("svg:visible")).to_have_count(1)
    wang.page.reload()
    assert wang.page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


@pytest.mark.parametrize("size", [(1366, 768), (1366, 640), (1920, 1080)])
def test_columns_fit_the_screen(chromium: Browser, town: Town, size: tuple[int, int]) -> None:
    town.play("reset")
    page = town.sit_down(chromium, "wang", size=size)
    desk = DeskPage(page, town.url).open("c-rent")
    expect(desk.field).to_be_in_viewport(ratio=1)
    expect(desk.send_button).to_be_in_viewport(ratio=1)
    expect(desk.lines.last).to_be_in_viewport()
    assert not desk.is_wider_than_screen()
    assert page.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
    page.context.close()


@pytest.mark.parametrize(
    ("name", "staff", "scheme"),
    [("desk", "wang", "light"), ("desk-dark", "wang", "dark"), ("supervisor", "lin", "light")],
)
def test_picture(chromium: Browser, town: Town, name: str, staff: str, scheme: str) -> None:
    town.play("reset")
    page = town.sit_down(chromium, staff, color_scheme=scheme)
    if staff == "lin":
        page.goto(f"{town.url}/supervisor")
        expect(page.locator(".agent-card")).to_have_count(6)
        page.wait_for_timeout(300)
    else:
        desk = DeskPage(page, town.url).open("c-rent")
        expect(desk.suggestions).to_have_count(3)
        desk.field.fill("每人每月最多可以提1400元，夫妻双方分别提取。")
        page.wait_for_timeout(800)
    keep(page, f"{name}.png")
    page.context.close()
