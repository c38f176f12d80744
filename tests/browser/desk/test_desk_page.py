"""An agent at the desk in a real browser: lines, offers, and the box he writes in, over a desk in memory."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.desk_page import DeskPage, Town

pytestmark = pytest.mark.browser

NASTY = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


# --- lines -------------------------------------------------------------------------------------------------------


def test_agent_accepts_an_offer_and_answers_by_keyboard_alone(wang: DeskPage, town: Town) -> None:
    wang.open()
    expect(wang.offers).to_have_count(1)
    expect(wang.page).to_have_title("(1) 坐席工作台")
    expect(wang.live).to_contain_text("新会话等您接听：购房提取，网页")
    wang.page.keyboard.press("Alt+a")
    expect(wang.who).to_have_text("郑**")
    expect(wang.field).to_be_focused()
    wang.page.keyboard.type("可以的")
    wang.page.keyboard.press("Enter")
    expect(wang.line("可以的")).to_be_visible()
    expect(wang.offers).to_have_count(0)
    expect(wang.field).to_have_value("")
    town.says("c-offer", "谢谢")
    expect(wang.line("谢谢")).to_be_visible()


def test_offer_is_declined_by_keyboard(wang: DeskPage, town: Town) -> None:
    wang.open()
    wang.page.keyboard.press("Alt+x")
    expect(wang.offers).to_have_count(0)
    assert town.asked("decline") == ["5"]


def test_new_offer_comes_up_by_itself_and_goes_with_its_time(wang: DeskPage, town: Town) -> None:
    wang.open()
    town.until_live()
    town.play("offer", conversation="c-wait-2", staff="wang")
    expect(wang.offers).to_have_count(2)
    expect(wang.live).to_contain_text("贷款额度")
    expect(wang.page).to_have_title("(2) 坐席工作台")


def test_line_in_another_conversation_is_unread_until_it_is_opened(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    town.until_live()
    town.says("c-base", "还在吗")
    town.says("c-base", "请问一下")
    expect(wang.unread("c-base")).to_have_text("2")
    expect(wang.row("c-base")).to_contain_text("请问一下")
    expect(wang.live).to_contain_text("赵** 有新消息")
    wang.page.reload()
    expect(wang.unread("c-base")).to_have_text("2")
    wang.row("c-base").click()
    expect(wang.who).to_have_text("赵**")
    expect(wang.unread("c-base")).to_be_hidden()


def test_hundred_lines_come_once_each_and_in_order(wang: DeskPage, town: Town) -> None:
    wang.open("c-overdue")
    town.until_live()
    for number in range(100):
        town.says("c-overdue", f"第{number}句")
    expect(wang.line("第99句")).to_be_visible()
    texts = [text for text in wang.page.locator("#log .line-text").all_inner_texts() if text.startswith("第")]
    assert texts == [f"第{number}句" for number in range(100)]


def test_earlier_lines_come_on_demand_and_the_place_is_kept(wang: DeskPage, town: Town) -> None:
    for number in range(90):
        town.says("c-overdue", f"第{number}句")
    wang.open("c-overdue")
    expect(wang.lines).to_have_count(60)
    wang.page.get_by_role("button", name="看更早的记录").click()
    expect(wang.lines).to_have_count(93)
    expect(wang.line("第31句")).to_be_in_viewport()
    expect(wang.page.get_by_role("button", name="看更早的记录")).to_have_count(0)


def test_lost_network_loses_and_doubles_nothing(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    town.until_live()
    wang.page.context.set_offline(True)
    wang.say("断网时写的一句")
    expect(wang.outgoing).to_contain_text("未送达，连上后自动重发")
    expect(wang.link).to_contain_text("连接断开，正在重连，您写的不会丢")
    wang.page.context.set_offline(False)
    expect(wang.line("断网时写的一句")).to_have_count(1)
    expect(wang.outgoing).to_have_count(0)
    expect(wang.link).to_have_text("")
    assert len({given.split("', '")[-1] for given in town.asked("say")}) == 1


def test_browser_that_dies_before_the_answer_sends_the_same_line_once_more(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    town.play("refuse", what="say", refusal="away")
    wang.say("浏览器死掉前的一句")
    expect(wang.outgoing).to_contain_text("未送达")
    wang.page.goto("about:blank")
    wang.open("c-rent")
    expect(wang.line("浏览器死掉前的一句")).to_have_count(1)
    expect(wang.outgoing).to_have_count(0)
    sent = town.asked("say")
    assert len(sent) >= 2
    assert len(set(sent)) == 1


def test_lines_wait_for_each_other(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    town.play("refuse", what="say", refusal="away")
    wang.say("先写的")
    expect(wang.outgoing.first).to_contain_text("未送达")
    wang.say("后写的")
    expect(wang.line("后写的")).to_have_count(1)
    assert wang.own.locator(".line-text").all_inner_texts()[-2:] == ["先写的", "后写的"]


def test_stream_that_ends_is_opened_again_and_nothing_is_missed(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    town.until_live()
    for number in range(3):
        town.play("lose")
        town.says("c-rent", f"重启第{number}次时说的")
        expect(wang.line(f"重启第{number}次时说的")).to_have_count(1)


def test_draft_of_each_conversation_survives_a_reload(wang: DeskPage) -> None:
    wang.open("c-rent")
    wang.field.fill("写到一半")
    wang.page.keyboard.press("Alt+ArrowDown")
    expect(wang.middle).to_have_attribute("data-id", "c-overdue")
    expect(wang.field).to_have_value("")
    wang.field.fill("另一半")
    wang.page.reload()
    expect(wang.field).to_have_value("另一半")
    wang.page.keyboard.press("Alt+ArrowUp")
    expect(wang.field).to_have_value("写到一半")


def test_refused_line_is_given_back_with_what_is_wrong(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    town.play("refuse", what="say", refusal="window_closed")
    wang.say("发不出去")
    expect(wang.problem).to_contain_text("微信现在收不到消息")
    expect(wang.field).to_have_value("发不出去")
    expect(wang.outgoing).to_have_count(0)


def test_personal_number_is_noticed_and_masked_on_demand(wang: DeskPage) -> None:
    wang.open("c-rent")
    wang.field.fill("您的身份证是11010519491231002X吗")
    expect(wang.problem).to_contain_text("身份证号")
    wang.field.press("Enter")
    expect(wang.own).to_have_count(3)
    wang.problem.get_by_role("button", name="改用打码后的文字").click()
    expect(wang.field).not_to_have_value("您的身份证是11010519491231002X吗")
    expect(wang.problem).to_be_hidden()
    wang.field.press("Enter")
    expect(wang.own).to_have_count(4)
    assert "11010519491231002X" not in wang.own.last.inner_text()


def test_texts_of_citizens_never_become_part_of_the_page(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    town.until_live()
    for text in (NASTY, "字" * 4000, "a" * 2000, "转\u202e账", "👨‍👩‍👧‍👦" * 50):
        town.says("c-rent", text)
        town.says("c-base", text)
    expect(wang.line("👨‍👩‍👧‍👦")).to_be_visible()
    expect(wang.unread("c-base")).to_have_text("5")
    assert wang.page.evaluate("window.hacked") is None
    assert not wang.is_wider_than_screen()


# --- the box -----------------------------------------------------------------------------------------------------


def test_suggestion_is_inserted_by_its_number_and_may_be_edited(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    expect(wang.suggestions).to_have_count(3)
    wang.page.keyboard.press("Alt+2")
    expect(wang.field).to_have_value(
        "无租赁备案的，只需要本人身份证和一类银行卡，系统自动核验无房信息；有租赁备案的，另需租赁备案号。"
    )
    assert town.asked("say") == []
    wang.page.keyboard.type("请准备好。")
    wang.page.keyboard.press("Enter")
    expect(wang.line("另需租赁备案号。请准备好。")).to_be_visible()


def test_ready_sentence_is_chosen_by_its_shortcut(wang: DeskPage) -> None:
    wang.open("c-rent")
    wang.field.press_sequentially("好的 /s")
    expect(wang.canned).to_have_count(1)
    wang.field.press("Enter")
    expect(wang.field).to_have_value("好的 正在为您查询，大约需要一分钟，请不要离开本页面。")
    wang.field.fill("")
    wang.field.press_sequentially("/")
    expect(wang.canned).to_have_count(6)
    wang.field.press("ArrowDown")
    wang.field.press("Escape")
    expect(wang.canned).to_have_count(0)
    expect(wang.field).to_have_value("/")


def test_choice_of_what_sends_is_remembered(wang: DeskPage) -> None:
    wang.open("c-rent")
    wang.send_mode.select_option("ctrl")
    wang.field.fill("第一行")
    wang.field.press("Enter")
    wang.page.keyboard.type("第二行")
    expect(wang.field).to_have_value("第一行\n第二行")
    wang.page.reload()
    expect(wang.send_mode).to_have_value("ctrl")
    expect(wang.field).to_have_value("第一行\n第二行")
    wang.field.press("Control+Enter")
    expect(wang.line("第二行")).to_be_visible()


def test_enter_that_picks_a_word_of_an_input_method_sends_nothing(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    wang.field.fill("nihao")
    composing = "node => node.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true}))"
    wang.field.evaluate(composing)
    expect(wang.field).to_have_value("nihao")
    assert town.asked("say") == []


def test_huge_paste_is_refused_kindly_and_the_draft_stays(wang: DeskPage) -> None:
    wang.open("c-rent")
    wang.field.fill("写好的")
    wang.field.evaluate(
        "node => { const data = new DataTransfer(); data.setData('text/plain', '长'.repeat(50000));"
        " node.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})); }"
    )
    expect(wang.problem).to_contain_text("粘贴的内容有 50000 个字，一次最多发 600 个字")
    expect(wang.field).to_have_value("写好的")


def test_length_of_an_sms_is_counted_in_parts(wang: DeskPage) -> None:
    wang.open("c-overdue")
    wang.field.fill("您好" * 40)
    expect(wang.page.locator("#composer-meter")).to_have_text("80 字 · 2 条短信")


def test_both_hear_of_each_others_typing(wang: DeskPage, town: Town) -> None:
    wang.open("c-rent")
    town.until_live()
    town.play("tell", kind="typing", conversation="c-rent", staff="wang", on="1")
    expect(wang.page.get_by_text("对方正在输入")).to_be_visible()
    town.says("c-rent", "写好了")
    expect(wang.page.get_by_text("对方正在输入")).to_be_hidden()
    wang.field.fill("我在写")
    wang.field.press("Enter")
    expect(wang.line("我在写")).to_be_visible()
    assert town.asked("typing") == ["('c-rent', True)", "('c-rent', False)"]
