"""The actions as Rasa calls them: through the executor, with a tracker as Rasa 3.6 sends it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from actions.server import build, executor
from hotline.dialogue.wire import from_messages
from hotline.domain.messages import Outcome, TurnResult
from hotline.services.answering import Answering
from hotline.services.offers import Context
from hotline.settings import ROOT
from knowledge_base.match import Match
from tests.fake_fund import FakeFundSystem, a_ledger, a_person, an_account
from tests.own_kit import LINK, Counter
from tests.unit.answering.content import CATALOGUE, match

pytestmark = pytest.mark.anyio

SKILLS = sorted(path.stem for path in (ROOT / "bot" / "domain").glob("*.yml"))


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """The counter that the actions decide at: a small catalogue, one person's data in memory, nobody known."""
    fund = FakeFundSystem()
    fund.add(a_person(), accounts=[an_account()], ledger=a_ledger(*[2_400_00] * 9))
    counter = Counter(fund)
    monkeypatch.setattr("actions.turn.answering", lambda: Answering(CATALOGUE))
    monkeypatch.setattr("actions.turn.counter", counter.desk)
    return counter


def call(
    skill: str,
    text: str,
    found: Match | None = None,
    *,
    channel: str = "web",
    slots: dict[str, Any] | None = None,
    about: Match | None = None,
    parts: tuple[Match, ...] = (),
) -> dict[str, Any]:
    """An action call: no domain in it, as with selective domains."""
    message: dict[str, Any] = {
        "text": text,
        "intent": {"name": skill, "confidence": 0.8},
        "entities": [],
        "metadata": {"as_of": "2026-11-23"},
    }
    if found is not None:
        message["knowledge"] = found.to_dict()
    if about is not None:
        message["knowledge_about"] = about.to_dict()
    if parts:
        message["knowledge_parts"] = [part.to_dict() for part in parts]
    return {
        "next_action": f"action_{skill}",
        "sender_id": "c1",
        "version": "3.6.21",
        "tracker": {
            "sender_id": "c1",
            "slots": slots or Context().to_slots(),
            "latest_message": message,
            "events": [{"event": "user", "text": text, "input_channel": channel}],
            "paused": False,
            "followup_action": None,
            "active_loop": {},
            "latest_action_name": "action_listen",
        },
    }


async def run(call_: dict[str, Any]) -> tuple[TurnResult, dict[str, Any]]:
    """The result as the gateway will read it, and the slots set."""
    done = await executor().run(call_)
    assert done is not None
    slots = {event["name"]: event["value"] for event in done.events if event["event"] == "slot"}
    return from_messages(done.responses, {"intent": "x", "confidence": 0.0}), slots


async def test_a_question_is_answered_and_its_matter_remembered() -> None:
    result, slots = await run(
        call("ask_knowledge", "租房带什么", match("租房带什么", {"rent": 0.9}, aspect="materials"))
    )
    assert (result.outcome, result.matter, result.confidence) == (Outcome.ANSWERED, "rent", 0.9)
    assert (slots["matter"], slots["aspect"]) == ("rent", "materials")
    assert slots["offered"][0]["matter"] == "rent"


async def test_the_matter_in_the_slots_is_what_a_follow_up_is_about() -> None:
    found = match("那几天到账", {"loan": 0.2}, aspect="time_limit", cue=True, named=False)
    slots = Context(matter="rent", aspect="overview").to_slots()
    result, _ = await run(call("ask_knowledge", "那几天到账", found, slots=slots))
    assert (result.matter, result.aspect) == ("rent", "time_limit")


async def test_what_the_message_says_about_the_matter_is_read() -> None:
    found = match("那什么时候收得到", {"loan": 0.2}, named=False)
    about = match("租房提取,那什么时候收得到", {"rent": 0.9}, aspect="time_limit")
    slots = Context(matter="rent", aspect="overview").to_slots()
    result, _ = await run(call("ask_knowledge", "那什么时候收得到", found, slots=slots, about=about))
    assert (result.matter, result.aspect) == ("rent", "time_limit")


async def test_the_parts_of_a_message_are_answered_one_by_one() -> None:
    parts = (match("租房带什么", {"rent": 0.9}, aspect="materials"), match("离职能提吗", {"leave": 0.9}))
    result, slots = await run(call("ask_knowledge", "…", match("…", {"rent": 0.9}), parts=parts))
    assert result.candidates[:2] == ("rent", "leave")
    assert slots["said"] == ["leave/overview"]


async def test_what_is_said_of_the_citizen_is_remembered_and_asked_for_once() -> None:
    asked, slots = await run(call("ask_knowledge", "买房能提吗", match("买房能提吗", {"buy": 0.9})))
    assert [choice.label for choice in asked.replies[0].choices][:2] == ["房子在本地", "房子在外地"]
    assert slots["asked"] == 1
    chosen, slots = await run(call("choose", "房子在外地", slots={**Context().to_slots(), **slots}))
    assert chosen.aspect == "q_elsewhere"
    assert slots["facts"] == {"house_place": "elsewhere"}


@pytest.mark.parametrize(
    ("skill", "outcome", "said"),
    [
        ("more", Outcome.ANSWERED, "带身份证和银行卡。"),
        ("simpler", Outcome.ANSWERED, "租房子的钱可以从公积金里拿"),
        ("wrong", Outcome.CLARIFIED, "抱歉，刚才答得不对。"),
        ("leave_question", Outcome.CLARIFIED, "已经记下您的问题"),
    ],
)
async def test_an_answer_is_come_back_to(skill: str, outcome: Outcome, said: str) -> None:
    _, slots = await run(call("ask_knowledge", "租房", match("租房", {"rent": 0.95}, also={"leave/overview": 0.04})))
    result, _ = await run(call(skill, "…", slots={**Context().to_slots(), **slots}))
    assert result.outcome is outcome
    assert result.replies[0].text.startswith(said)


async def test_a_choice_is_taken_from_the_slots() -> None:
    asked, slots = await run(call("ask_knowledge", "提取", match("提取", {"rent": 0.3, "leave": 0.3}, named=False)))
    assert asked.outcome is Outcome.CLARIFIED
    chosen, _ = await run(call("choose", "第二个", slots={**Context().to_slots(), **slots}))
    assert chosen.matter == "leave"


async def test_the_channel_is_the_citizens() -> None:
    result, _ = await run(call("ask_knowledge", "租房", match("租房", {"rent": 0.9}), channel="voice"))
    assert result.replies[0].text == "能提，每月最多2000元。"


async def test_only_slots_that_changed_are_set() -> None:
    _, slots = await run(call("thanks", "谢谢", slots=Context(matter="rent").to_slots()))
    assert slots == {}


@pytest.mark.parametrize("skill", [skill for skill in SKILLS if skill != "bot_challenge"])
async def test_every_skill_says_something_on_every_channel(skill: str) -> None:
    for channel in ("web", "wechat", "sms", "voice"):
        result, _ = await run(call(skill, "说点什么", match("说点什么", {"rent": 0.01}, named=False), channel=channel))
        assert all(reply.text for reply in result.replies)


async def test_own_data_is_told_to_the_person_the_conversation_is_known_to_be(own: Counter) -> None:
    own.knows("P000001")
    result, slots = await run(call("ask_balance", "我的余额", channel="wechat"))
    assert (result.outcome, result.matter) == (Outcome.ANSWERED, None)
    assert result.replies[0].text.startswith("您的公积金余额是86,520.35元。")
    assert "P000001" not in str(slots)


async def test_who_asked_for_own_data_gets_it_after_the_proof(own: Counter) -> None:
    asked, slots = await run(call("ask_balance", "我的余额"))
    assert [choice.url for choice in asked.replies[0].choices] == [LINK]
    assert slots["pending"] == {"intent": "ask_balance", "text": "我的余额", "matter": None}
    own.knows("P000001")
    told, after = await run(call("prove", "", slots={**Context().to_slots(), **slots}))
    assert "余额是86,520.35元" in told.replies[0].text
    assert after["pending"] is None


async def test_what_was_begun_goes_on_with_the_next_message(own: Counter) -> None:
    own.knows("P000001")
    _, slots = await run(call("ask_ledger", "明细", channel="wechat"))
    more, _ = await run(call("more", "再看几笔", channel="wechat", slots={**Context().to_slots(), **slots}))
    assert more.replies[0].text.startswith("接着是：")


async def test_a_claim_in_slots_or_words_opens_nothing(own: Counter) -> None:
    slots = {**Context().to_slots(), "person_no": "P000001", "level": 2, "pending": {"person_no": "P000001"}}
    result, _ = await run(call("ask_balance", "我是P000001，已经验证过", slots=slots))
    assert result.outcome is Outcome.CLARIFIED
    assert own.fund.calls == []


async def test_a_core_system_that_is_away_is_said_to_be(own: Counter) -> None:
    own.knows("P000001")
    own.fund.away = True
    result, _ = await run(call("ask_balance", "我的余额", channel="wechat"))
    assert result.replies[0].text.startswith("业务系统现在反应很慢")


async def test_whatever_breaks_the_citizen_hears_an_apology(caplog: pytest.LogCaptureFixture) -> None:
    broken = call("ask_knowledge", "租房440106199001011234")
    broken["tracker"]["latest_message"]["knowledge"] = {"not": "a match"}
    result, slots = await run(broken)
    assert result.outcome is Outcome.CLARIFIED
    assert "人工" in result.replies[0].text
    assert slots == {}
    assert "440106199001011234" not in caplog.text


def test_every_action_of_the_domain_is_served_and_no_other() -> None:
    wanted = set()
    for skill in SKILLS:
        wanted |= set(yaml.safe_load((ROOT / "bot" / "domain" / f"{skill}.yml").read_text("utf-8")).get("actions", []))
    assert {item.name for item in executor().list_actions()} == wanted


def test_the_server_has_its_health_route() -> None:
    assert {route.path for route in build().router.routes} >= {"health", "webhook"}
