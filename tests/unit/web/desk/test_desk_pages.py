"""What the desk's pages show, and to whom."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hotline.agent_desk import Meter
from hotline.domain.conversations import DeliveryStatus
from tests.fake_desk import FakeDesk
from tests.unit.web.desk.desk_kit import Visitor, visiting

pytestmark = pytest.mark.anyio

FRAGMENTS = (
    "/desk",
    "/desk/state",
    "/desk/mine",
    "/desk/queue",
    "/desk/c/c-rent",
    "/desk/c/c-rent/row",
    "/desk/c/c-rent/lines?noted=0",
    "/desk/c/c-rent/earlier?before=105",
    "/desk/c/c-rent/suggestions",
    "/desk/c/c-rent/knowledge?q=材料",
    "/desk/c/c-rent/transfer",
    "/desk/c/c-bye/wrap-up",
)
WALL = ("/supervisor", "/supervisor/wall", "/supervisor/c/c-rent")
NASTY = '<script>alert("x")</script><img src=x onerror=alert(1)>" onmouseover="alert(2)'


@pytest.mark.parametrize("path", FRAGMENTS)
async def test_whoever_is_not_signed_in_sees_nothing(desk: FakeDesk, path: str) -> None:
    async with visiting(desk, "") as nobody:
        answer = await nobody.get(path)
    assert answer.status_code == (303 if path == "/desk" else 401)
    assert desk.asked == []


@pytest.mark.parametrize("path", WALL)
async def test_wall_is_for_supervisors_alone(wang: Visitor, path: str) -> None:
    assert (await wang.get(path)).status_code == 403


@pytest.mark.parametrize("path", [*FRAGMENTS, *WALL])
async def test_nothing_a_strict_policy_forbids_is_in_any_page(lin: Visitor, path: str) -> None:
    answer = await lin.get(path)
    assert answer.status_code == 200
    html = re.sub(r'<script type="application/json".*?</script>', "", answer.text, flags=re.S)
    assert re.search(r"\sstyle=|\son\w+=|javascript:|<style|<script(?![^>]*\ssrc=)|https?://(?!www\.w3)", html) is None


async def test_page_may_not_be_framed_and_runs_its_own_scripts_only(wang: Visitor) -> None:
    policy = (await wang.get("/desk")).headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "frame-ancestors 'self'" in policy


async def test_desk_begins_with_own_state_offers_conversations_and_queue(wang: Visitor) -> None:
    html = (await wang.get("/desk")).text
    assert re.search(r'aria-pressed="true"[^>]*state-ready|state-ready[^>]*aria-pressed="true"|id="state-ready"', html)
    assert "在线 <b>4</b>/5" in html
    assert html.count('class="offer"') == 1
    assert html.count('class="row row-') == 4
    assert 'id="queue-count">4<' in html


async def test_agent_without_conversations_is_told_what_to_do(desk: FakeDesk) -> None:
    async with visiting(desk, "zhou") as zhou:
        html = (await zhou.get("/desk/mine")).text
    assert "手上没有会话" in html
    assert 'class="offer"' not in html


async def test_conversation_shows_the_person_on_all_channels_and_what_the_bot_tried(wang: Visitor) -> None:
    html = (await wang.get("/desk/c/c-rent")).text
    assert 'data-channel="web"' in html
    assert 'data-channel="wechat"' in html
    assert "1024 王敏" in html
    assert "智能客服两次没答上" in html
    assert "租房提取 · 多少" in html
    assert "户籍 <b>外地</b>" in html
    assert "发送失败，对方没有收到" in html
    assert "微信还可发 <b>3</b> 条" in html


async def test_every_text_of_a_citizen_is_text_everywhere(desk: FakeDesk, wang: Visitor, lin: Visitor) -> None:
    talk = desk.talks["c-rent"]
    await desk.citizen_says("c-rent", NASTY)
    packet = {**(talk.at.handover.packet if talk.at.handover else {}), "said": NASTY, "name": NASTY}
    assert talk.at.handover is not None
    talk.at = replace(talk.at, handover=replace(talk.at.handover, packet=packet, transfer_note=NASTY))
    await desk.add_note("c-rent", staff_id="wang", text=NASTY)
    pages = [await wang.get(path) for path in FRAGMENTS] + [await lin.get(path) for path in WALL]
    for page in pages:
        assert "<img" not in page.text.replace('<img src="/static', "")
        assert '" onmouseover' not in page.text
        assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in pages[2].text


async def test_marks_that_turn_writing_around_are_left_out(desk: FakeDesk, wang: Visitor) -> None:
    await desk.citizen_says("c-rent", "转账\u202e000,1\u202c元\u2066给我\u2069 😀 שלום")
    for path in ("/desk/c/c-rent/lines", "/desk/mine"):
        html = (await wang.get(path)).text
        assert not set(html) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
        assert "转账000,1元给我 😀 שלום" in html


async def test_four_thousand_characters_without_a_blank_stand_whole(desk: FakeDesk, wang: Visitor) -> None:
    await desk.citizen_says("c-rent", "长" * 4000)
    assert "长" * 4000 in (await wang.get("/desk/c/c-rent/lines", after="117")).text


async def test_lines_beyond_the_cursor_come_once_and_in_order(desk: FakeDesk, wang: Visitor) -> None:
    last = desk.talks["c-rent"].lines[-1].seq
    for number in range(3):
        await desk.citizen_says("c-rent", f"第{number}句")
    html = (await wang.get("/desk/c/c-rent/lines", after=str(last), noted="99")).text
    assert re.findall(r'dir="auto">第(\d)句', html) == ["0", "1", "2"]
    assert 'class="note' not in html


async def test_colleagues_conversation_is_not_for_other_agents_but_for_supervisors(wang: Visitor, lin: Visitor) -> None:
    assert (await wang.get("/desk/c/c-chen-1")).status_code == 409
    assert wang.asked("view") == []
    assert (await lin.get("/supervisor/c/c-chen-1")).status_code == 200


async def test_whisper_is_heard_by_who_holds_the_conversation_alone(desk: FakeDesk, wang: Visitor) -> None:
    assert "先问他租在哪个区" in (await wang.get("/desk/c/c-rent/lines", noted="0")).text
    talk = desk.talks["c-rent"]
    assert talk.at.handover is not None
    talk.at = replace(talk.at, handover=replace(talk.at.handover, offered_to="zhou"), holder="chen")
    html = (await wang.get("/desk/c/c-rent/lines", noted="0")).text
    assert "先问他租在哪个区" not in html
    assert "已确认广州无房" in html


async def test_number_of_a_caller_is_masked_in_every_list(wang: Visitor, lin: Visitor) -> None:
    for page in (await wang.get("/desk"), await wang.get("/desk/c/c-overdue"), await lin.get("/supervisor")):
        assert "138****8021" in page.text
        assert "13800138021" not in page.text


@pytest.mark.parametrize(
    ("meter", "said"),
    [
        (Meter(bubbles_left=0), "本轮 5 条已用完"),
        (Meter(bubbles_left=0, falls_over_to="sms"), "将改用短信"),
        (Meter(bubbles_left=0, falls_over_to="notice"), "将改用服务通知"),
        (Meter(bubbles_left=1), "还可发 <b>1</b> 条"),
    ],
)
async def test_agent_is_told_what_wechat_still_takes(desk: FakeDesk, wang: Visitor, meter: Meter, said: str) -> None:
    desk.meters["c-rent"] = meter
    assert said in (await wang.get("/desk/c/c-rent/lines")).text


@pytest.mark.parametrize("state", list(DeliveryStatus))
async def test_every_delivery_state_has_a_word(desk: FakeDesk, wang: Visitor, state: DeliveryStatus) -> None:
    talk = desk.talks["c-rent"]
    talk.lines[-2] = replace(talk.lines[-2], delivery=state.value)
    html = (await wang.get("/desk/c/c-rent/lines")).text
    assert f">{state.value}<" not in html
    assert f"delivery-{state.value}" in html


async def test_wrap_up_form_offers_matters_by_pinyin_and_the_summary_of_the_record(wang: Visitor) -> None:
    html = (await wang.get("/desk/c/c-bye/wrap-up")).text
    assert re.search(r'aria-selected="true" data-value="withdraw-retire"', html)
    assert 'data-keys="zufangtiqu zftq"' in html
    assert 'data-value="other"' in html
    assert "询问租房提取的条件和限额" in html


async def test_wrap_up_form_is_for_what_has_ended(wang: Visitor) -> None:
    assert (await wang.get("/desk/c/c-rent/wrap-up")).status_code == 410


async def test_transfer_form_tells_colleagues_state_and_load(wang: Visitor) -> None:
    html = (await wang.get("/desk/c/c-rent/transfer")).text
    assert 'value="staff:chen"' in html
    assert 'value="staff:wang"' not in html
    assert "电话 1/1" in html
    assert html.index("梁嘉怡") < html.index("陈思远"), "who is ready comes first"


async def test_wall_counts_what_goes_on(lin: Visitor) -> None:
    html = (await lin.get("/supervisor/wall")).text
    assert 'id="wall-waiting">4<' in html
    assert "87<small>%</small>" in html
    assert "就绪 3" in html
    assert html.count('data-monitor="c-rent"') == 1
    assert "服务投诉" in html


async def test_unknown_conversation_is_gone(wang: Visitor) -> None:
    answer = await wang.get("/desk/c/nothing")
    assert answer.status_code == 410
    assert answer.json()["code"] == "gone"
