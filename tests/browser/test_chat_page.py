"""A citizen at the chat page, in a real browser."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from chat_page import ChatPage
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser
RENT = "租房提取公积金，每月能提多少？"
VAGUE = "提取公积金"


@pytest.fixture
def chat(chromium_page: Page, stack_url: str) -> ChatPage:
    return ChatPage(chromium_page, stack_url).open()


def test_newcomer_is_told_that_it_is_a_machine_and_greeted_once(chat: ChatPage) -> None:
    expect(chat.page.get_by_role("banner")).to_contain_text("我是智能助手（机器），随时可以转人工")
    expect(chat.quick).to_have_count(6)
    expect(chat.chips).to_have_count(0)
    chat.reload()
    expect(chat.answers).to_have_count(1)
    expect(chat.quick).to_have_count(6)
    expect(chat.chips).to_have_count(0)


def test_question_gets_an_answer(chat: ChatPage) -> None:
    answer = chat.ask(RENT)
    expect(chat.own.last).to_contain_text(RENT)
    expect(answer).to_contain_text("元")
    expect(chat.field).to_have_value("")
    expect(chat.own.locator(".state, .retry")).to_have_count(0)


def test_basis_is_set_apart_in_smaller_type(chat: ChatPage) -> None:
    source = chat.ask(RENT).locator(".source").first
    expect(source).to_contain_text("依据")
    size = "node => parseFloat(getComputedStyle(node).fontSize)"
    assert source.evaluate(size) < chat.own.last.evaluate(size)


def test_quick_question_asks_it(chat: ChatPage) -> None:
    before = chat.answers.count()
    chat.quick.first.click()
    expect(chat.own).to_have_count(1)
    chat.answer_after(before)
    expect(chat.quick).to_have_count(0)


def test_chosen_chip_is_asked_and_the_chips_go(chat: ChatPage) -> None:
    chat.ask(VAGUE)
    expect(chat.chips.first).to_be_visible()
    assert 1 < chat.chips.count() <= 4
    before = chat.answers.count()
    chosen = chat.chips.first
    chosen.click()
    expect(chat.own).to_have_count(2)
    chat.answer_after(before)


def test_conversation_is_there_again_after_a_reload(chat: ChatPage) -> None:
    chat.ask(VAGUE)
    said, chips = chat.log.inner_text(), chat.chips.all_inner_texts()
    chat.reload()
    assert chat.log.inner_text() == said
    assert chat.chips.all_inner_texts() == chips


def test_person_can_be_asked_for_at_any_time(chat: ChatPage) -> None:
    before = chat.answers.count()
    expect(chat.agent_button).to_be_in_viewport()
    chat.agent_button.click()
    expect(chat.own.last).to_contain_text("转人工")
    expect(chat.answer_after(before)).to_contain_text("人工")
    expect(chat.agent_button).to_be_in_viewport()


def test_everything_works_by_keyboard_alone(chat: ChatPage) -> None:
    keys = chat.page.keyboard
    keys.press("Tab")
    expect(chat.skip_link).to_be_focused()
    keys.press("Enter")
    expect(chat.field).to_be_focused()
    keys.type("第一行")
    keys.press("Shift+Enter")
    keys.type(RENT)
    before = chat.answers.count()
    keys.press("Enter")
    expect(chat.own.locator("p").last).to_have_text(f"第一行\n{RENT}", use_inner_text=True)
    chat.answer_after(before)
    expect(chat.field).to_be_focused()
    keys.press("Shift+Tab")
    expect(chat.agent_button).to_be_focused()


def test_focus_goes_from_top_to_bottom(chat: ChatPage) -> None:
    for control in [
        chat.skip_link,
        chat.large_button,
        chat.log,
        *chat.quick.all(),
        chat.agent_button,
        chat.field,
    ]:
        chat.page.keyboard.press("Tab")
        expect(control).to_be_focused()


def test_enter_that_picks_a_word_of_an_input_method_sends_nothing(chat: ChatPage) -> None:
    chat.field.fill("zufang")
    chat.field.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    chat.field.evaluate(
        "n => n.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true}))"
    )
    expect(chat.own).to_have_count(0)
    expect(chat.field).to_have_value("zufang")
    chat.field.press("Enter")
    expect(chat.own).to_have_count(1)


def test_too_long_message_is_explained_and_kept(chat: ChatPage) -> None:
    text = "金" * 1001
    chat.field.fill(text)
    chat.send_button.click()
    expect(chat.error).to_contain_text("1000")
    expect(chat.error).to_contain_text("1001")
    expect(chat.field).to_have_value(text)
    expect(chat.own).to_have_count(0)
    chat.field.fill("金" * 1000)
    expect(chat.error).to_have_text("")


def test_draft_survives_a_reload_and_is_gone_once_sent(chat: ChatPage) -> None:
    chat.field.fill("写到一半")
    chat.reload()
    expect(chat.field).to_have_value("写到一半")
    chat.send_button.click()
    chat.reload()
    expect(chat.field).to_have_value("")


def test_lost_network_is_shown_and_the_message_can_be_sent_again(chat: ChatPage) -> None:
    chat.page.context.set_offline(True)
    chat.field.fill(RENT)
    chat.send_button.click()
    expect(chat.link).to_have_text("网络断开，正在重连…")
    expect(chat.retry).to_be_visible()
    before = chat.answers.count()
    chat.page.context.set_offline(False)
    expect(chat.link).to_be_hidden()
    chat.retry.click()
    chat.answer_after(before)
    expect(chat.own).to_have_count(1)
    expect(chat.retry).to_have_count(0)


def test_unsent_message_survives_a_reload(chat: ChatPage) -> None:
    chat.page.route("**/chat/messages", lambda route: route.abort())
    chat.field.fill(RENT)
    chat.send_button.click()
    expect(chat.retry).to_be_visible()
    chat.reload()
    expect(chat.retry).to_be_visible()
    chat.page.unroute("**/chat/messages")
    before = chat.answers.count()
    chat.retry.click()
    chat.answer_after(before)
    chat.reload()
    expect(chat.retry).to_have_count(0)
    expect(chat.own).to_have_count(1)


def test_message_whose_acknowledgement_was_lost_is_answered_once(chat: ChatPage) -> None:
    def lose_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    chat.page.route("**/chat/messages", lose_answer)
    before = chat.answers.count()
    chat.field.fill(RENT)
    chat.send_button.click()
    chat.answer_after(before)
    expect(chat.retry).to_have_count(0)
    chat.page.unroute("**/chat/messages")
    chat.reload()
    expect(chat.own).to_have_count(1)
    expect(chat.answers).to_have_count(before + 1)


def test_message_on_its_way_says_so(chat: ChatPage) -> None:
    held: list[Route] = []
    chat.page.route("**/chat/messages", lambda route: held.append(route))
    chat.field.fill(RENT)
    before = chat.answers.count()
    chat.send_button.click()
    expect(chat.own.last.locator(".state")).to_have_text("发送中")
    held[0].continue_()
    chat.answer_after(before)
    expect(chat.own.locator(".state")).to_have_count(0)


def test_search_for_an_answer_is_said_to_screen_readers_and_ends_with_the_answer(chat: ChatPage) -> None:
    chat.page.evaluate(
        "() => { const live = document.querySelector('#typing-live'); window.said = [];"
        "new MutationObserver(() => window.said.push(live.textContent)).observe(live, {childList: true}); }"
    )
    chat.ask(RENT)
    expect(chat.page.locator("#typing")).to_be_hidden()
    assert "正在查找答案…" in chat.page.evaluate("window.said")
    expect(chat.page.locator("#typing-live")).to_have_text("")


def test_line_that_arrives_twice_is_shown_once(chat: ChatPage) -> None:
    chat.ask(RENT)
    shown = chat.log.inner_text()
    everything = chat.page.request.get(chat.page.url + "/history?after=0").json()
    assert len(everything["lines"]) >= 3
    chat.page.route("**/chat/history*", lambda route: route.fulfill(json=everything))
    with chat.page.expect_response("**/chat/events*"):
        chat.page.evaluate("window.dispatchEvent(new Event('online'))")
    assert chat.log.inner_text() == shown


def test_broken_stream_is_taken_up_where_it_ended(chat: ChatPage) -> None:
    chat.page.route("**/chat/events*", lambda route: route.abort())
    chat.reload()
    expect(chat.link).to_have_text("网络断开，正在重连…")
    # While no stream can be opened, answers come by asking again.
    chat.ask(RENT)
    chat.page.unroute("**/chat/events*")
    expect(chat.link).to_be_hidden(timeout=30_000)
    chat.ask(VAGUE)
    expect(chat.own).to_have_count(2)


def test_reader_who_scrolled_up_is_not_pulled_down(chat: ChatPage) -> None:
    chat.page.set_viewport_size({"width": 390, "height": 480})
    for _ in range(3):
        chat.ask(RENT)
    before = chat.answers.count()
    chat.field.fill(RENT)
    # The reader scrolls up after the own line has been shown, which takes two frames, and before the answer comes.
    chat.page.evaluate(
        """async () => {
          const frame = () => new Promise(requestAnimationFrame);
          document.querySelector('#send').click();
          await frame();
          await frame();
          document.querySelector('#scroller').scrollTop = 0;
        }"""
    )
    chat.answer_after(before)
    expect(chat.new_lines).to_be_visible()
    assert chat.scroller.evaluate("node => node.scrollTop") == 0
    chat.new_lines.click()
    expect(chat.new_lines).to_be_hidden()
    assert chat.distance_to_end() < 2


def test_newest_answer_comes_into_view(chat: ChatPage) -> None:
    chat.page.set_viewport_size({"width": 390, "height": 560})
    for _ in range(3):
        answer = chat.ask(VAGUE)
    expect(answer).to_be_in_viewport(ratio=0.5)
    expect(chat.new_lines).to_be_hidden()


def test_large_type_is_larger_and_remembered(chat: ChatPage) -> None:
    size = "() => parseFloat(getComputedStyle(document.body).fontSize)"
    normal = chat.page.evaluate(size)
    assert 17 <= normal <= 18
    chat.large_button.click()
    assert chat.page.evaluate(size) >= normal * 1.2
    chat.reload()
    assert chat.page.evaluate(size) >= normal * 1.2
    expect(chat.large_button).to_have_attribute("aria-pressed", "true")
    chat.large_button.click()
    assert chat.page.evaluate(size) == normal


@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("width", [320, 360, 390, 768, 1366])
def test_nothing_is_wider_than_the_screen(chat: ChatPage, *, width: int, is_large: bool) -> None:
    chat.page.set_viewport_size({"width": width, "height": 640})
    if is_large:
        chat.large_button.click()
    chat.ask("a" * 300)
    chat.ask(VAGUE)
    assert not chat.is_wider_than_screen()
    for control in (chat.field, chat.send_button, chat.agent_button):
        expect(control).to_be_in_viewport(ratio=1)
        box = control.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 44


def test_markup_in_a_message_is_shown_as_it_was_typed(chat: ChatPage) -> None:
    text = '<img src="/nowhere" onerror="document.title=1"><b>粗</b>'
    chat.ask(text)
    chat.reload()
    expect(chat.own.locator("p").last).to_have_text(text)
    expect(chat.log.locator("img, b")).to_have_count(0)


def test_page_asks_no_other_host_and_breaks_no_rule_of_its_own(chromium_page: Page, stack_url: str) -> None:
    hosts: set[str] = set()
    faults: list[str] = []
    chromium_page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    chromium_page.on("pageerror", lambda error: faults.append(str(error)))
    chromium_page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    chat = ChatPage(chromium_page, stack_url).open()
    chat.ask(RENT)
    chat.large_button.click()
    assert hosts == {urlsplit(stack_url).netloc}
    assert faults == []
