"""The desk's browser phone at a switch of its own: registering, ringing, answering, and what can go wrong."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk.conftest import free_port, opened
from tests.browser.desk_page import Town

pytestmark = pytest.mark.browser

LIMIT_S = 15
MICROPHONE = """() => {
  navigator.mediaDevices.getUserMedia = async () => new AudioContext().createMediaStreamDestination().stream;
}"""
REFUSED = """name => {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("no", name); };
}"""
OFFER = """async () => {
  const connection = new RTCPeerConnection();
  connection.addTransceiver("audio");
  await connection.setLocalDescription(await connection.createOffer());
  while (connection.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 50));
  return connection.localDescription.sdp;
}"""
WATCH_POLICY = "window.forbidden = []; addEventListener('securitypolicyviolation', e => forbidden.push(e.blockedURI));"


class Switch:
    """The other end of the telephone (phone_switch.py)."""

    def __init__(self, port: int) -> None:
        command = [sys.executable, str(Path(__file__).with_name("phone_switch.py")), str(port)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"ws://127.0.0.1:{port}/ws"
        self.heard: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.hears("open")

    def hears(self, word: str) -> None:
        """Waits for the word; what comes before it is left."""
        while self.heard.get(timeout=LIMIT_S) != word:
            continue

    def tell(self, **what: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)
        self.reader.join(timeout=10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.heard.put(line.strip())


@pytest.fixture(scope="module")
def switch() -> Iterator[Switch]:
    there = Switch(free_port())
    yield there
    there.close()


@pytest.fixture(scope="module")
def phones(switch: Switch) -> Iterator[Town]:
    with opened(DESK_APP_PHONE_URL=switch.url) as town:
        yield town


@pytest.fixture
def page(chromium: Browser, phones: Town, switch: Switch) -> Iterator[Page]:
    """An agent's desk whose telephone is registered."""
    phones.play("reset")
    phones.play("call/come")
    page = phones.sit_down(chromium, "wang")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.add_init_script(WATCH_POLICY)
    page.goto(f"{phones.url}/desk")
    switch.hears("REGISTER")
    expect(page.locator("#phone")).to_have_attribute("data-state", "ready")
    yield page
    assert page.evaluate("forbidden") == []
    page.context.close()
    assert problems == []


def ring(page: Page, switch: Switch) -> None:
    switch.tell(call=page.evaluate(OFFER), conversation="c-call")
    expect(page.locator("#phone")).to_have_attribute("data-state", "ringing")


def test_phone_registers_with_its_password_and_says_so(page: Page) -> None:
    expect(page.locator("#phone")).to_contain_text("话机就绪 8001")


def test_call_rings_with_its_conversation_open_and_is_answered_by_hand(page: Page, switch: Switch) -> None:
    page.evaluate(MICROPHONE)
    ring(page, switch)
    expect(page.locator("#middle")).to_have_attribute("data-id", "c-call")
    expect(page.locator("#live")).to_have_text("您的分机 8001 来电，请接听")
    page.get_by_role("button", name="接电话").click()
    switch.hears("200")
    phone = page.locator("#phone")
    expect(phone).to_have_attribute("data-state", "talking")
    expect(phone.locator("#phone-time")).to_have_text("0:01")
    mute = page.get_by_role("button", name="静音")
    mute.click()
    expect(mute).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="拨号键盘").click()
    expect(phone.get_by_role("button", name="#", exact=True)).to_be_visible()
    page.get_by_role("button", name="挂断").click()
    switch.hears("BYE")
    expect(phone).to_have_attribute("data-state", "ready")
    expect(page.locator(".toast")).to_have_text("电话已挂断")


def test_caller_who_hangs_up_ends_the_call(page: Page, switch: Switch) -> None:
    page.evaluate(MICROPHONE)
    ring(page, switch)
    page.get_by_role("button", name="接电话").click()
    expect(page.locator("#phone")).to_have_attribute("data-state", "talking")
    switch.tell(bye="1")
    expect(page.locator("#phone")).to_have_attribute("data-state", "ready")


def test_ringing_stops_when_nobody_waits_any_more(page: Page, switch: Switch) -> None:
    ring(page, switch)
    switch.tell(cancel="1")
    expect(page.locator("#phone")).to_have_attribute("data-state", "ready")
    switch.hears("487")


def test_agent_does_not_take_the_call(page: Page, switch: Switch) -> None:
    ring(page, switch)
    page.get_by_role("button", name="不接", exact=True).click()
    switch.hears("480")
    expect(page.locator("#phone")).to_have_attribute("data-state", "ready")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("NotAllowedError", "浏览器不允许使用麦克风"),
        ("NotFoundError", "没有找到麦克风"),
        ("NotReadableError", "麦克风被别的程序占用"),
    ],
)
def test_refused_microphone_is_explained_and_the_call_rings_on(
    page: Page, switch: Switch, error: str, said: str
) -> None:
    page.evaluate(REFUSED, error)
    ring(page, switch)
    page.get_by_role("button", name="接电话").click()
    expect(page.locator(".toast-bad")).to_contain_text(said)
    expect(page.locator("#phone")).to_have_attribute("data-state", "ringing")
    page.evaluate(MICROPHONE)
    page.get_by_role("button", name="接电话").click()
    expect(page.locator("#phone")).to_have_attribute("data-state", "talking")
    page.get_by_role("button", name="挂断").click()
    switch.hears("BYE")


def test_second_page_of_the_same_browser_leaves_the_phone_to_the_first(page: Page, phones: Town) -> None:
    other = page.context.new_page()
    other.goto(f"{phones.url}/desk")
    expect(other.locator("#phone")).to_contain_text("话机在另一个页面上")
    other.close()
    expect(page.locator("#phone")).to_have_attribute("data-state", "ready")
