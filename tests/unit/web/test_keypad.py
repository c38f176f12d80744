"""A caller proves who he is with the keys of his telephone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import structlog

from hotline.domain.identity import IdentityRefused, Level, Refusal
from hotline.domain.messages import InboundKind
from hotline.errors import TemporaryError
from hotline.ports import SendError, SendReason
from hotline.storage.channel_store import SqlChannelStore
from hotline.storage.tables import consents, inbox, messages
from tests.fake_fund import CARD, ID_NUMBER, PASSWORD, a_person
from tests.unit.web.keypad_kit import ASKED, BALANCE, WRONG, Caller, Line, a_line, level_in, rows

pytestmark = pytest.mark.anyio


async def test_a_caller_proves_himself_by_password_and_hears_what_he_asked_for(line: Line, caller: Caller) -> None:
    notice = await caller.asks()
    assert caller.heard[1].said == ASKED
    assert "同意请按1" in notice.said
    assert "身份证号" in (await caller.does(Digits="1")).said
    factor = await caller.does(Digits=ID_NUMBER)
    assert " ".join(ID_NUMBER[-4:]) in factor.said
    code = await caller.does(Digits=PASSWORD)
    assert "5 6 7 8" in code.said
    assert len(line.phone.texts) == 1
    told = await caller.does(Digits=line.phone.code)
    assert told.said == BALANCE
    assert told.gather["input"] == "speech dtmf"
    assert await level_in(line, line.conversation) is Level.PROVEN
    assert line.kinds == [InboundKind.TEXT, InboundKind.PROVED]
    assert (await caller.does(SpeechResult="谢谢")).said == "您说：谢谢。"
    (consent,) = await rows(line, consents)
    assert consent["channel"] == "voice"


async def test_the_bank_card_will_do_and_the_star_key_is_x(line: Line, caller: Caller) -> None:
    line.fund.add(a_person(person_no="P000009", id_number="11010519491231002X"), cards=("6222021234567890128",))
    await caller.until_factor("11010519491231002X")
    assert "验证码" in (await caller.does(Digits="6222021234567890128")).said
    assert (await caller.does(Digits=line.phone.code)).said == BALANCE


async def test_only_keys_are_collected_and_each_entry_has_its_length(line: Line, caller: Caller) -> None:
    await caller.signs_in()
    collecting = [each.gather for each in caller.heard if each.root.find("Gather") is not None and each.collects]
    assert [(each["numDigits"], each["finishOnKey"]) for each in collecting] == [
        ("1", ""),
        ("18", "#"),
        ("19", "#"),
        ("6", "#"),
    ]
    assert all(len(say.text or "") <= 60 for each in caller.heard for say in each.root.iter("Say"))
    assert "record" not in "".join(each.text for each in caller.heard).lower()


async def test_nothing_that_was_keyed_in_is_a_message_a_log_or_a_byte_of_the_database(
    line: Line, caller: Caller
) -> None:
    with structlog.testing.capture_logs() as logged:
        await caller.until_factor()
        await caller.does(Digits=CARD[:-1] + "0")
        await caller.does(Digits=CARD)
        code = line.phone.code
        await caller.does(Digits=line.phone.wrong_code)
        await caller.does(Digits=code)
    assert {each["event"] for each in logged} >= {"identity.proven", "identity.refused"}
    secrets = [ID_NUMBER, CARD, code, "13800135678"]
    written = json.dumps(logged, default=repr, ensure_ascii=False)
    stored = b"".join(each.read_bytes() for each in line.file.parent.glob("hotline.db*"))
    assert [each for each in secrets if each in written] == []
    assert [each for each in secrets if each.encode() in stored] == []
    assert [row["text"] for row in await rows(line, messages)] == ["我的余额是多少", ASKED, BALANCE]
    assert [row["kind"] for row in await rows(line, inbox)] == ["start", "text", "proved"]
    assert [each for each in secrets if each in "".join(d.text for d in caller.heard)] == []


async def test_who_has_agreed_before_is_not_asked_again(line: Line, caller: Caller) -> None:
    script = line.dialogue.script
    assert script is not None
    await caller.signs_in()

    def step_up(request: Any) -> Any:
        result = script(request)
        replies = tuple(type(each)(text=each.text, keypad=each.keypad and "step_up") for each in result.replies)
        return type(result)(replies=replies)

    line.dialogue.script = step_up
    again = Caller(line, call="CA" + "2" * 32)
    assert "请输入身份证号" in (await again.asks()).said


# --- what goes wrong ------------------------------------------------------------------------------------------------


async def test_a_wrong_id_number_password_or_code_is_asked_for_again(line: Line, caller: Caller) -> None:
    await caller.asks()
    await caller.does(Digits="1")
    assert "身份证号不对" in (await caller.does(Digits=ID_NUMBER[:-1] + "9")).said
    assert "密码" in (await caller.does(Digits=ID_NUMBER)).said
    assert "位数不对" in (await caller.does(Digits="12345")).said
    assert "请输入六位验证码" in (await caller.does(Digits=PASSWORD)).said
    assert (await caller.does(Digits=line.phone.code)).said == BALANCE


async def test_a_mismatch_begins_again_with_the_id_number(line: Line, caller: Caller) -> None:
    assert "对不上" in (await caller.until_code(WRONG)).said
    await caller.does(Digits=ID_NUMBER)
    await caller.does(Digits=PASSWORD)
    assert (await caller.does(Digits=line.phone.code)).said == BALANCE


async def test_the_third_failure_leads_to_a_person(line: Line, caller: Caller) -> None:
    await caller.asks()
    await caller.does(Digits="1")
    for _ in range(2):
        assert (await caller.does(Digits="123")).collects
    document = await caller.does(Digits="123")
    assert "三次都没有核实成功" in document.said
    assert "登记号" in document.said
    (wish,) = await line.core.storage.handovers.open_handovers(limit=5)
    assert (wish.channel, wish.said[-1]) == ("voice", "转人工")


@pytest.mark.parametrize("entries", [[], ["1"], ["1", ID_NUMBER], ["1", ID_NUMBER, PASSWORD]])
async def test_zero_alone_leads_to_a_person_at_every_entry(line: Line, caller: Caller, entries: list[str]) -> None:
    await caller.asks()
    for keys in entries:
        await caller.does(Digits=keys)
    assert "登记号" in (await caller.does(Digits="0")).said
    assert len(await line.core.storage.handovers.open_handovers(limit=5)) == 1
    assert (await caller.does(SpeechResult="谢谢")).said == "您说：谢谢。"


async def test_zero_during_the_words_before_leads_to_a_person(line: Line, caller: Caller) -> None:
    await caller.does()
    asked = await caller.does(follow=False, SpeechResult="我的余额是多少")
    assert "登记号" in (await caller.post(asked.gather["action"], Digits="0")).said


async def test_a_code_of_zeros_is_a_code(line: Line, caller: Caller) -> None:
    await caller.until_code()
    assert "验证码不对" in (await caller.does(Digits="000000" if line.phone.code != "000000" else "00000")).said


async def test_two_silences_lead_back_to_the_conversation(line: Line, caller: Caller) -> None:
    await caller.until_factor()
    assert "没有收到按键" in (await caller.does(Digits="")).said
    document = await caller.does(Digits="")
    assert "先不核实了" in document.said
    assert document.gather["input"] == "speech dtmf"
    assert (await caller.does(SpeechResult="贷款利率")).said == "您说：贷款利率。"


async def test_an_id_number_that_comes_too_late_is_masked(line: Line, caller: Caller) -> None:
    await caller.until_factor()
    for _ in range(2):
        document = await caller.does(Digits="")
    assert document.gather["finishOnKey"] == "#"
    await caller.does(Digits=ID_NUMBER)
    assert line.dialogue.asked[-1].text == "[证件号已隐去]"
    assert ID_NUMBER.encode() not in line.file.read_bytes()


async def test_a_finishing_key_pressed_too_late_is_no_silence(line: Line, caller: Caller) -> None:
    prompt = await caller.until_factor()
    for _ in range(3):
        assert (await caller.does(Digits="", FinishedOnKey="#")).said == prompt.said


async def test_who_does_not_agree_keys_in_nothing(line: Line, caller: Caller) -> None:
    await caller.asks()
    document = await caller.does(Digits="2")
    assert "不核实了" in document.said
    assert document.gather["input"] == "speech dtmf"
    assert line.fund.calls == []


REFUSED_AT_ONCE = [
    (Refusal.LOCKED, 300, "请5分钟后再试"),
    (Refusal.NO_MOBILE, 0, "没有预留手机号"),
    (Refusal.TOO_MANY_CODES, 50, "请1分钟后再查"),
    (Refusal.CODE_NOT_SENT, 0, "短信没有发出去"),
    (Refusal.CORE_AWAY, 0, "业务系统现在很慢"),
    (Refusal.ANOTHER_PERSON, 0, "绑定的是另一位"),
    (Refusal.LINK_EXPIRED, 0, "时间过了"),
    (Refusal.LINK_USED, 0, "时间过了"),
    (Refusal.OTHER_BROWSER, 0, "时间过了"),
    (Refusal.NO_CONSENT, 0, "时间过了"),
]


class Refusing:
    """Identity that lets begin and refuses every proof. Implements what a keypad needs of `Identification`."""

    def __init__(self, refusal: Exception) -> None:
        self.refusal = refusal
        self.told: list[dict[str, object]] = []

    async def begin_keypad(self, conversation_id: str, purpose: str) -> Any:
        class SignIn:
            session, consent_needed = "s1", False

        return SignIn

    async def prove(self, session: str, **told: object) -> None:
        self.told.append(told)
        raise self.refusal


@pytest.mark.parametrize(("reason", "wait_s", "said"), REFUSED_AT_ONCE, ids=[each[0].value for each in REFUSED_AT_ONCE])
async def test_what_cannot_be_mended_leads_back_with_its_reason(
    tmp_path: Path, reason: Refusal, wait_s: int, said: str
) -> None:
    refusing: Any = Refusing(IdentityRefused(reason, wait_s=wait_s))
    async with a_line(tmp_path, identification=refusing) as line:
        caller = Caller(line)
        await caller.asks()
        await caller.does(Digits=ID_NUMBER)
        document = await caller.does(Digits=PASSWORD)
        assert said in document.said
        assert "转人工请按0" in document.said
        assert document.gather["input"] == "speech dtmf"
        (told,) = refusing.told
        assert (told["browser"], told["address"], told["id_number"]) == ("keypad", "", ID_NUMBER)


@pytest.mark.parametrize("fault", [TemporaryError("the database is locked"), RuntimeError(f"about {ID_NUMBER}")])
async def test_a_fault_is_a_sentence_and_its_text_is_not_logged(tmp_path: Path, fault: Exception) -> None:
    refusing: Any = Refusing(fault)
    async with a_line(tmp_path, identification=refusing) as line:
        caller = Caller(line)
        await caller.asks()
        await caller.does(Digits=ID_NUMBER)
        with structlog.testing.capture_logs() as logged:
            assert "暂时不能核实" in (await caller.does(Digits=PASSWORD)).said
        assert ID_NUMBER not in repr(logged)


async def test_a_wrong_proof_too_many_locks_the_number_that_calls(tmp_path: Path) -> None:
    async with a_line(tmp_path, wrong_before_lock=1) as line:
        caller = Caller(line)
        assert "请1分钟后再试" in (await caller.until_code(WRONG)).said
        assert "请1分钟后再试" in (await caller.does(SpeechResult="我的余额是多少")).said


async def test_nine_sends_another_code_which_alone_counts(line: Line, caller: Caller) -> None:
    await caller.until_code()
    first = line.phone.code
    assert "新的验证码已经发出" in (await caller.does(Digits="9")).said
    assert len(line.phone.texts) == 2
    if line.phone.code != first:
        assert "验证码不对" in (await caller.does(Digits=first)).said
    assert (await caller.does(Digits=line.phone.code)).said == BALANCE


async def test_another_code_too_soon_is_told_and_the_first_still_counts(tmp_path: Path) -> None:
    async with a_line(tmp_path, codes_per_hour=1) as line:
        caller = Caller(line)
        await caller.until_code()
        assert "太频繁" in (await caller.does(Digits="9")).said
        assert (await caller.does(Digits=line.phone.code)).said == BALANCE


async def test_a_code_that_cannot_be_sent_leads_back(line: Line, caller: Caller) -> None:
    line.phone.error = SendError(SendReason.REJECTED, "no", retryable=False)
    assert "短信没有发出去" in (await caller.until_code()).said


async def test_a_core_system_that_is_away_leads_back(line: Line, caller: Caller) -> None:
    line.fund.away = True
    assert "业务系统现在很慢" in (await caller.until_code()).said


async def test_a_database_that_does_not_answer_leads_back(
    line: Line, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object, **__: object) -> None:
        raise TemporaryError("database")

    await caller.until_factor()
    monkeypatch.setattr(SqlChannelStore, "get_state", down)
    document = await caller.does(Digits=PASSWORD)
    assert "暂时不能核实" in document.said
    assert line.fund.calls == []
