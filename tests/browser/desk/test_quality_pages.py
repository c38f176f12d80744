"""A supervisor scores conversations and looks for what was said, in a real browser over records in memory.

``GJJ_PICTURES=docs/pictures`` keeps what it looks like."""

from __future__ import annotations

import os
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
from playwright.sync_api import Browser, Locator, expect

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[3]
START_LIMIT_S = 60


class Quality:
    """The pages that look back, as one supervisor sees them. ``problems``: what their scripts stumbled over."""

    def __init__(self, browser: Browser, url: str, *, staff: str = "lin", scheme: Any = "light") -> None:
        context = browser.new_context(
            viewport={"width": 1366, "height": 768},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            color_scheme=scheme,
        )
        context.set_default_timeout(10_000)
        context.add_cookies([{"name": "staff", "value": staff, "url": url}])
        self.url = url
        self.page = context.new_page()
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))
        self.samples = self.page.locator(".sample-row")
        self.total = self.page.locator("#total")
        self.reason = self.page.get_by_label("扣分原因")
        self.alert = self.page.locator("#score-problem")
        self.results = self.page.locator(".result")
        self.found = self.page.locator("#found")

    def open(self, path: str) -> Quality:
        self.page.goto(f"{self.url}{path}")
        return self

    def points(self, name: str) -> Locator:
        return self.page.get_by_label(name, exact=True)

    def search(self, words: str) -> None:
        self.page.get_by_label("说过的话").fill(words)
        self.page.keyboard.press("Enter")

    def violations(self) -> list[str]:
        """What axe-core calls serious or worse, with where it is."""
        return [
            f"{each['id']}: {node['target']} {node['failureSummary']}"
            for each in Axe().run(self.page).response["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]

    def is_wider_than_screen(self) -> bool:
        return bool(
            self.page.evaluate(
                "() => [document.documentElement, ...document.querySelectorAll('.looking-back, .sheet, .wide, .score,"
                " .results, #scroller')].some(node => node.scrollWidth > node.clientWidth + 1)"
            )
        )

    def keep(self, name: str) -> None:
        if folder := os.environ.get("GJJ_PICTURES"):
            self.page.screenshot(path=str(Path(folder) / name))


@pytest.fixture(scope="module")
def records_url() -> Iterator[str]:
    """The address of the pages in a process of their own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "uvicorn", "--factory", "quality_app:create_app", "--port", str(port)]
    command += ["--log-level", "warning", "--app-dir", str(ROOT / "tests" / "unit" / "web" / "supervisor")]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        _wait_until_open(port, process)
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
    pytest.fail(f"the pages' process did not open port {port}")


@pytest.fixture
def lin(chromium: Browser, records_url: str) -> Iterator[Quality]:
    httpx.post(f"{records_url}/fake/reset", trust_env=False).raise_for_status()
    quality = Quality(chromium, records_url)
    yield quality
    quality.page.context.close()
    assert quality.problems == []


def kept(url: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{url}/fake/kept", trust_env=False).json()
    return found


def test_sample_is_drawn_and_scored_by_keyboard_alone(lin: Quality) -> None:
    lin.open("/supervisor/quality")
    expect(lin.page.get_by_role("button", name="抽取5条")).to_be_visible()
    lin.page.wait_for_load_state("networkidle")
    lin.page.keyboard.press("Alt+d")
    expect(lin.samples.first).to_be_visible()
    drawn = lin.samples.count()
    lin.samples.first.focus()
    lin.page.keyboard.press("Enter")
    expect(lin.page.get_by_text(f"第 1 条，共 {drawn} 条")).to_be_visible()
    expect(lin.points("礼貌用语")).to_be_focused()
    lin.page.keyboard.press("ArrowDown")
    lin.page.keyboard.press("Tab")
    lin.page.keyboard.type("20")
    expect(lin.total).to_have_text("84")
    lin.page.keyboard.press("Alt+s")
    expect(lin.alert).to_contain_text("写明原因")
    expect(lin.reason).to_be_focused()
    lin.page.keyboard.type("限额说错了")
    lin.page.keyboard.press("Alt+s")
    expect(lin.page.get_by_text("上一条已保存：84 分")).to_be_visible()
    expect(lin.page.get_by_text(f"第 2 条，共 {drawn} 条")).to_be_visible()
    assert [84, "限额说错了"] in kept(lin.url).values()
    lin.page.keyboard.press("Alt+n")
    expect(lin.page.get_by_text(f"第 3 条，共 {drawn} 条")).to_be_visible()


def test_points_beyond_the_most_are_shown_at_once_and_never_kept(lin: Quality) -> None:
    lin.open("/supervisor/quality/1")
    lin.points("答复准确").fill("36")
    expect(lin.total).to_have_text("—")
    expect(lin.points("答复准确")).to_have_attribute("aria-invalid", "true")
    lin.page.get_by_role("button", name="保存").click()
    expect(lin.alert).to_contain_text("从 0 到这一项的满分")
    expect(lin.points("答复准确")).to_be_focused()
    assert "1" not in kept(lin.url)


def test_what_was_written_is_there_after_a_reload_and_gone_when_saved(lin: Quality) -> None:
    lin.open("/supervisor/quality/1")
    lin.points("信息安全").fill("5")
    lin.reason.fill("没有核实身份")
    lin.page.reload()
    expect(lin.total).to_have_text("90")
    expect(lin.reason).to_have_value("没有核实身份")
    lin.page.get_by_role("button", name="保存").click()
    expect(lin.page.get_by_text("已保存：90 分")).to_be_visible()
    assert lin.page.evaluate("Object.keys(localStorage).filter((key) => key.includes('review'))") == []
    expect(lin.page.get_by_text("没有核实身份")).to_be_visible()


def test_saving_without_the_gateway_loses_nothing(lin: Quality) -> None:
    lin.open("/supervisor/quality/1")
    lin.points("信息安全").fill("5")
    lin.reason.fill("没有核实身份")
    lin.page.route("**/supervisor/quality/1", lambda route: route.abort())
    lin.page.keyboard.press("Alt+s")
    expect(lin.alert).to_contain_text("没能连上")
    lin.page.unroute("**/supervisor/quality/1")
    lin.page.keyboard.press("Alt+s")
    expect(lin.page.get_by_text("已保存：90 分")).to_be_visible()


def test_words_lead_to_the_line_they_stand_in(lin: Quality) -> None:
    lin.open("/supervisor/search")
    expect(lin.page.get_by_label("说过的话")).to_be_focused()
    lin.search("提取")
    expect(lin.results.first).to_be_visible()
    expect(lin.results.first.locator("mark").first).to_have_text("提取")
    expect(lin.page.locator("#live")).to_have_text(f"找到 {lin.results.count()} 条")
    seq = lin.results.first.get_attribute("data-seq-found")
    lin.results.first.focus()
    lin.page.keyboard.press("Enter")
    expect(lin.found.locator(f'.line[data-seq="{seq}"].is-found')).to_be_in_viewport()
    expect(lin.page.locator("#found-who")).to_be_focused()
    lin.page.keyboard.press("Escape")
    expect(lin.found).to_be_hidden()
    expect(lin.results.first).to_be_focused()
    assert "提取" not in lin.page.url


def test_refused_search_says_why_and_keeps_what_was_found(lin: Quality) -> None:
    lin.open("/supervisor/search")
    lin.search("提取")
    expect(lin.results.first).to_be_visible()
    before = lin.results.count()
    lin.page.get_by_label("坐席工号").fill("9999")
    lin.page.keyboard.press("Enter")
    expect(lin.page.get_by_text("没有这个工号")).to_be_visible()
    assert lin.results.count() == before
    lin.page.get_by_label("坐席工号").fill("")
    lin.search("绝不会有人说的话")
    expect(lin.page.get_by_text("没有找到。")).to_be_visible()
    expect(lin.page.get_by_text("没有这个工号")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_barrier_is_on_the_pages_that_look_back(chromium: Browser, lin: Quality, scheme: str) -> None:
    quality = Quality(chromium, lin.url, scheme=scheme).open("/supervisor/quality")
    quality.page.get_by_role("button", name="抽取5条").click()
    expect(quality.samples.first).to_be_visible()
    found = {"overview": quality.violations()}
    assert not quality.is_wider_than_screen()
    quality.keep(f"quality-overview-{scheme}.png")
    quality.samples.first.click()
    expect(quality.points("礼貌用语")).to_be_focused()
    quality.points("答复准确").fill("20")
    quality.page.keyboard.press("Alt+s")
    expect(quality.alert).to_be_visible()
    found["score"] = quality.violations()
    assert not quality.is_wider_than_screen()
    expect(quality.page.get_by_role("button", name="保存")).to_be_in_viewport(ratio=1)
    quality.keep(f"quality-score-{scheme}.png")
    quality.open("/supervisor/search")
    found["empty search"] = quality.violations()
    quality.search("提取")
    quality.results.first.click()
    expect(quality.found).to_be_visible()
    found["search"] = quality.violations()
    assert not quality.is_wider_than_screen()
    quality.keep(f"quality-search-{scheme}.png")
    quality.open("/desk/reviews")
    found["own"] = quality.violations()
    quality.open("/supervisor/quality/777")
    found["gone"] = quality.violations()
    quality.page.context.close()
    assert {name: each for name, each in found.items() if each} == {}


def test_picture(lin: Quality) -> None:
    lin.open("/supervisor/quality/1?sample=1,2,3,4,7")
    lin.points("答复准确").fill("25")
    lin.reason.fill("限额的年份说错了，应按今年的标准。")
    expect(lin.total).to_have_text("90")
    expect(lin.page.locator(".line-agent").first).to_be_in_viewport()
    lin.keep("quality.png")
