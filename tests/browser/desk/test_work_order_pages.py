"""Work orders in a real browser: the list, a new order, one that is worked on, over real services on SQLite.

``GJJ_PICTURES=docs/pictures`` keeps what they look like."""

from __future__ import annotations

import io
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk.conftest import ROOT, _wait_until_open
from tests.browser.desk_page import Town

pytestmark = pytest.mark.browser

NASTY = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


class Orders(Town):
    """Colleagues, played through the doors of the pages' test application."""

    def open(self, text: str = "柜员态度差", kind: str = "complaint") -> str:
        answer = httpx.post(f"{self.url}/fake/open", params={"text": text, "type": kind}, trust_env=False)
        return str(answer.raise_for_status().json()["number"])

    def of(self, number: str) -> dict[str, Any]:
        told: dict[str, Any] = httpx.get(f"{self.url}/fake/state/{number}", trust_env=False).json()
        return told


@pytest.fixture(scope="module")
def orders() -> Iterator[Orders]:
    """The pages in a process of their own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "uvicorn", "--factory", "orders_app:create_app", "--port", str(port)]
    command += ["--timeout-graceful-shutdown", "1", "--log-level", "warning"]
    command += ["--app-dir", str(ROOT / "tests" / "unit" / "web" / "work_orders")]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        _wait_until_open(port, process)
        yield Orders(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture
def wang(chromium: Browser, orders: Orders) -> Iterator[Page]:
    page = orders.sit_down(chromium, "wang")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
    yield page
    page.context.close()
    assert problems == []


def show(page: Page, orders: Orders, path: str = "") -> Page:
    page.goto(f"{orders.url}/work-orders{path}")
    return page


def test_order_is_opened_from_a_conversation_by_keyboard(wang: Page, orders: Orders) -> None:
    show(wang, orders, "/new?conversation=c-rent")
    expect(wang.get_by_label("诉求内容")).not_to_have_value("")
    wang.get_by_label("投诉", exact=True).check()
    matter = wang.get_by_role("combobox", name="事项")
    expect(matter).to_have_value("租房提取")
    matter.fill("dked")
    matter.press("Enter")
    expect(matter).to_have_value("贷款额度")
    wang.get_by_label("技能组").select_option("loan")
    wang.get_by_label("诉求内容").fill("额度算得不对")
    wang.get_by_label("加急").check()
    sent: list[str] = []
    wang.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    wang.get_by_role("button", name="建工单").press("Enter")
    expect(wang).to_have_url(re.compile(r"/work-orders/GD\d{8}-\d{6}$"))
    made = orders.of(wang.url.rpartition("/")[2])
    assert (made["group"], made["text"], made["state"]) == ("loan", "额度算得不对", "new")
    expect(wang.get_by_role("heading", level=1)).to_contain_text("投诉：贷款额度")
    assert sent == [f"{orders.url}/work-orders"]


def test_what_was_written_is_kept_until_it_is_sent(wang: Page, orders: Orders) -> None:
    show(wang, orders, "/new")
    wang.get_by_label("诉求内容").fill("写到一半")
    wang.reload()
    expect(wang.get_by_label("诉求内容")).to_have_value("写到一半")


def test_order_is_worked_on_to_its_end(wang: Page, orders: Orders) -> None:
    number = orders.open()
    show(wang, orders, f"/{number}")
    wang.get_by_role("button", name="受理", exact=True).click()
    expect(wang.locator(".toast")).to_contain_text("已受理")
    wang.get_by_role("button", name="开始办理").click()
    wang.get_by_role("button", name="办结").click()
    dialog = wang.get_by_role("dialog")
    dialog.get_by_label("属实", exact=True).check()
    dialog.get_by_label("核实情况").fill("查了录像")
    dialog.get_by_label("处理结果").fill("已致歉")
    dialog.get_by_role("button", name="办结并告知群众").click()
    expect(dialog).to_be_hidden()
    expect(wang.get_by_text("已办结", exact=True)).to_be_visible()
    wang.get_by_role("button", name="登记回访").click()
    dialog.get_by_label("5 分").check()
    dialog.get_by_role("button", name="保存回访").click()
    wang.get_by_role("button", name="归档").click()
    expect(wang.get_by_text("已经办完")).to_be_visible()
    assert orders.of(number)["state"] == "closed"


def test_quick_hand_is_not_told_that_a_colleague_was_faster(wang: Page, orders: Orders) -> None:
    number = orders.open()
    show(wang, orders, f"/{number}")
    wang.route("**/body", lambda route: (time.sleep(0.5), route.continue_()))
    wang.get_by_role("button", name="受理", exact=True).dblclick()
    wang.get_by_role("button", name="设为保密").click()
    expect(wang.locator(".secret")).to_be_visible()
    expect(wang.locator(".toast-bad")).to_have_count(0)
    assert orders.of(number)["version"] == 3


def test_lost_network_is_said_and_the_order_can_be_worked_on_again(wang: Page, orders: Orders) -> None:
    number = orders.open()
    show(wang, orders, f"/{number}")
    wang.context.set_offline(True)
    wang.get_by_role("button", name="受理", exact=True).click()
    expect(wang.locator(".toast-bad")).to_contain_text("没能连上")
    wang.context.set_offline(False)
    wang.get_by_role("button", name="受理", exact=True).click()
    expect(wang.locator("#order")).to_contain_text("已受理")
    assert orders.of(number)["version"] == 2


def test_who_was_slower_is_told_and_keeps_what_he_wrote(wang: Page, orders: Orders) -> None:
    number = orders.open()
    show(wang, orders, f"/{number}")
    wang.get_by_role("button", name="不予受理").click()
    dialog = wang.get_by_role("dialog")
    dialog.get_by_label("原因").fill("写了很久的原因")
    orders.play("accept", number=number)
    dialog.get_by_role("button", name="确定不予受理").click()
    expect(dialog.get_by_role("alert")).to_contain_text("同事刚改过这张工单")
    expect(dialog.get_by_label("原因")).to_have_value("写了很久的原因")
    expect(wang.locator("#order")).to_contain_text("已受理")
    assert orders.of(number)["state"] == "accepted"
    wang.keyboard.press("Escape")
    wang.get_by_role("button", name="不予受理").click()
    expect(dialog.get_by_label("原因")).to_have_value("写了很久的原因")
    dialog.get_by_role("button", name="确定不予受理").click()
    expect(dialog).to_be_hidden()
    assert orders.of(number)["state"] == "rejected"


def test_colleagues_change_is_said_and_shown_on_demand(wang: Page, orders: Orders) -> None:
    number = orders.open()
    with wang.expect_request("**/work-orders/events"):
        show(wang, orders, f"/{number}")
    wang.wait_for_timeout(500)
    wang.get_by_label("新备注").fill("还在写")
    orders.play("accept", number=number)
    orders.play("tell", number=number)
    expect(wang.get_by_text("这张工单刚有更新")).to_be_visible()
    wang.get_by_role("button", name="看最新内容").click()
    expect(wang.locator("#order")).to_contain_text("已受理")
    expect(wang.get_by_label("新备注")).to_have_value("还在写")


def test_note_is_saved_once_and_the_box_is_empty(wang: Page, orders: Orders) -> None:
    number = orders.open()
    show(wang, orders, f"/{number}")
    wang.get_by_label("新备注").fill(NASTY)
    wang.get_by_role("button", name="保存备注").dblclick()
    expect(wang.locator(".log-note")).to_have_count(1)
    expect(wang.locator(".log-note")).to_have_text(NASTY)
    expect(wang.get_by_label("新备注")).to_have_value("")
    wang.reload()
    expect(wang.locator(".log-note")).to_have_count(1)
    assert wang.evaluate("window.hacked") is None


def test_file_is_uploaded_and_a_wrong_one_is_refused(wang: Page, orders: Orders) -> None:
    number = orders.open()
    show(wang, orders, f"/{number}")
    out = io.BytesIO()
    Image.new("RGB", (30, 30), "navy").save(out, "PNG")
    wang.get_by_label("上传附件").set_input_files(
        {"name": "现场.png", "mimeType": "image/png", "buffer": out.getvalue()}
    )
    wang.get_by_role("button", name="上传", exact=True).click()
    link = wang.get_by_role("link", name="现场.png")
    expect(link).to_be_visible()
    with wang.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == "现场.png"
    disguised = {"name": "图片.png", "mimeType": "image/png", "buffer": b"<html><script>1</script>" * 20}
    wang.get_by_label("上传附件").set_input_files(disguised)
    wang.get_by_role("button", name="上传", exact=True).click()
    expect(wang.get_by_role("alert").filter(has_text="只收图片")).to_be_visible()
    huge = {"name": "录像.mp4", "mimeType": "video/mp4", "buffer": b"\0" * (11 * 1024 * 1024)}
    wang.get_by_label("上传附件").set_input_files(huge)
    wang.get_by_role("button", name="上传", exact=True).click()
    expect(wang.get_by_role("alert").filter(has_text="文件有 11.0 MB，最大 10 MB")).to_be_visible()
    assert orders.of(number)["files"] == ["现场.png"]


def test_orders_are_merged_by_number(wang: Page, orders: Orders) -> None:
    kept, gone = orders.open("打电话没人接，等了半小时"), orders.open("完全不同的另一件事情", "suggestion")
    show(wang, orders, f"/{gone}")
    wang.get_by_role("button", name="合并").click()
    dialog = wang.get_by_role("dialog")
    dialog.get_by_label("或者按编号找").fill("GD1")
    dialog.get_by_label("或者按编号找").press("Tab")
    expect(dialog.get_by_role("alert")).to_contain_text("没有这个工单")
    dialog.get_by_label("或者按编号找").fill(kept)
    dialog.get_by_label("或者按编号找").press("Tab")
    dialog.get_by_label(kept).check()
    dialog.get_by_role("button", name="合并").click()
    expect(wang).to_have_url(f"{orders.url}/work-orders/{kept}")
    assert orders.of(gone)["state"] == "merged"


def test_confidential_order_passed_on_leaves_the_screen(wang: Page, orders: Orders) -> None:
    number = orders.open()
    show(wang, orders, f"/{number}")
    wang.get_by_role("button", name="受理", exact=True).click()
    wang.get_by_role("button", name="设为保密").click()
    expect(wang.locator(".secret")).to_be_visible()
    wang.get_by_role("button", name="转给同事").click()
    dialog = wang.get_by_role("dialog")
    expect(dialog.get_by_text("转出后您就看不到了")).to_be_visible()
    dialog.get_by_label("经办人").select_option("chen")
    dialog.get_by_role("button", name="转出").click()
    expect(wang).to_have_url(f"{orders.url}/work-orders")
    assert orders.of(number)["owner"] == "chen"


def test_list_is_filtered_and_the_address_can_be_kept(wang: Page, orders: Orders) -> None:
    number = orders.open("只有这张里有麒麟两个字")
    show(wang, orders)
    wang.keyboard.press("Alt+k")
    wang.keyboard.type("麒麟")
    wang.keyboard.press("Enter")
    expect(wang.locator("tbody tr")).to_have_count(1)
    expect(wang.get_by_role("link", name=number)).to_be_visible()
    wang.get_by_label("归属").select_option("mine")
    wang.get_by_role("button", name="查询").click()
    expect(wang.get_by_text("没有这样的工单")).to_be_visible()
    wang.go_back()
    expect(wang.locator("tbody tr")).to_have_count(1)


def test_orders_of_the_person_open_beside_the_conversation(wang: Page, orders: Orders) -> None:
    number = orders.open("旁边要看到的")
    wang.goto(f"{orders.url}/desk?c=c-rent")
    wang.get_by_role("tab", name="工单").click()
    expect(wang.locator("#orders-beside").get_by_role("link", name=number)).to_be_visible()
    with wang.context.expect_page() as opened:
        wang.get_by_role("link", name="建工单").click()
    expect(opened.value.get_by_role("heading", name="新建工单")).to_be_visible()


# --- how it looks ------------------------------------------------------------------------------------------------


def violations(page: Page) -> list[str]:
    """What axe-core calls serious or worse, with where it is."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def worked_on(page: Page, orders: Orders) -> Page:
    """The order of the pictures: late or near, with a log and a file."""
    show(page, orders, "?q=天河管理部")
    page.locator("tbody th a").first.click()
    expect(page.locator("#order")).to_be_visible()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_barrier_is_on_the_pages(chromium: Browser, orders: Orders, scheme: str) -> None:
    page = orders.sit_down(chromium, "lin", color_scheme=scheme)
    found = {"list": violations(show(page, orders)), "new": violations(show(page, orders, "/new"))}
    page.get_by_role("combobox", name="事项").click()
    found["matters"] = violations(page)
    found["order"] = violations(worked_on(page, orders))
    for name in ("办结", "转给同事", "延期", "合并", "改紧急程度"):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator("#dialog-title")).to_contain_text(name)
        found[name] = violations(page)
        page.keyboard.press("Escape")
    page.goto(f"{orders.url}/desk?c=c-rent")
    page.get_by_role("tab", name="工单").click()
    expect(page.locator("#orders-beside .entry").first).to_be_visible()
    found["beside"] = violations(page)
    page.context.close()
    assert {name: each for name, each in found.items() if each} == {}


@pytest.mark.parametrize("path", ["", "/new", "?q=天河管理部"])
def test_pages_fit_the_screen(wang: Page, orders: Orders, path: str) -> None:
    orders.open("a" * 1500)
    show(wang, orders, path)
    if "天河" in path:
        wang.locator("tbody th a").first.click()
    expect(wang.locator("#orders")).to_be_visible()
    assert wang.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert wang.evaluate(
        "document.querySelector('#orders').scrollWidth <= document.querySelector('#orders').clientWidth"
    )


def test_picture(chromium: Browser, orders: Orders) -> None:
    page = worked_on(orders.sit_down(chromium, "lin"), orders)
    expect(page.get_by_role("link", name="排队取号单.png")).to_be_visible()
    page.wait_for_timeout(300)
    keep(page, "work-orders.png")
    page.context.close()


def keep(page: Page, name: str) -> None:
    if folder := os.environ.get("GJJ_PICTURES"):
        page.screenshot(path=str(Path(folder) / name))
