"""What is asked for by keypad, and what comes of an entry."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.voice import keypad
from channels.voice.call_state import CallState
from channels.voice.keypad import KEYS, KeypadState, Stage
from channels.voice.plan import Manner, Then, plan
from channels.voice.twiml import render, render_entry
from channels.voice.wording import wording
from hotline.domain.fund import FactorKind
from hotline.domain.identity import IdentityRefused, Refusal
from hotline.domain.messages import InboundKind, Reply

ASKED = KeypadState(turn=3, entry=4, stage=Stage.ID_NUMBER, session="s", sealed_id="a1.x")


def _said(state: KeypadState) -> str:
    return "".join(keypad.says(state))


def test_a_reply_that_wants_a_proof_leads_to_the_first_entry() -> None:
    reply = Reply(text="要查账户余额，请按键核实身份。", keypad="bind")
    step = plan(InboundKind.TEXT, CallState(turn=3, of=2, silence=1), (reply,), manner=Manner())
    assert (step.then, step.state) == (Then.KEYPAD, CallState(turn=3, of=2))
    document = render(step, "https://h.example/channels/voice", voice="v")
    address = "https://h.example/channels/voice/keypad/0?turn=3&amp;of=2"
    assert document.count(address) == 2  # where a key leads, and where it goes on without one
    assert 'input="dtmf"' in document
    assert 'numDigits="1"' in document


@pytest.mark.parametrize("stage", KEYS)
def test_entries_are_keys_alone_and_nothing_is_recorded(stage: Stage) -> None:
    document = render_entry(("请输入",), "https://h.example/x", KEYS[stage], voice="v")
    assert 'input="dtmf"' in document
    assert 'actionOnEmptyResult="true"' in document
    assert f'numDigits="{KEYS[stage].most}"' in document
    assert "speech" not in document.lower()
    assert "record" not in document.lower()


def test_every_stage_has_its_sentences_and_none_is_longer_than_a_caller_takes_in() -> None:
    words = wording().keypad
    said = [*words["notice"], *words["ask"].values(), *words["ended"].values()]
    usual = {Stage.ID_NUMBER: ["unheard", "malformed_id", "mismatch"], Stage.FACTOR: ["unheard", "malformed_factor"]}
    usual |= {Stage.CONSENT: ["unheard"]}
    at_code = ["unheard", "wrong_code", "code_expired", "too_many_codes", "code_not_sent", "sent_again"]
    said += [words["told"][told] + words["again"][stage] for stage in usual for told in usual[stage]]
    said += [words["told"][told] + words["again"]["code"] for told in at_code]
    filled = [each.format(tail="1 2 3 4", wait="10分钟") for each in said]
    assert [each for each in filled if len(each) > 60] == []


def test_every_refusal_leads_somewhere_and_is_worded() -> None:
    for reason, stage, wait_s in product(Refusal, KEYS, (0, 60)):
        state = keypad.refused(KeypadState(turn=1, stage=stage), IdentityRefused(reason, wait_s=wait_s))
        assert _said(state)
        assert state.stage in {*KEYS, Stage.BACK}


def test_zero_is_offered_wherever_something_is_asked_for() -> None:
    for stage in KEYS:
        again = _said(KeypadState(turn=1, stage=stage, told=keypad.UNHEARD))
        assert "转人工" in again
        assert "0" in again


def test_the_third_failure_ends_it_and_forgets_what_was_kept() -> None:
    state = ASKED
    for failures in (1, 2):
        state = keypad.refused(state, IdentityRefused(Refusal.MISMATCH))
        assert (state.stage, state.failures, state.sealed_id) == (Stage.ID_NUMBER, failures, "")
    ended = keypad.refused(state, IdentityRefused(Refusal.MALFORMED_ID))
    assert (ended.stage, ended.session, ended.sealed_id) == (Stage.PERSON, "", "")


def test_failures_count_over_all_stages_together() -> None:
    state = keypad.refused(ASKED, IdentityRefused(Refusal.MALFORMED_ID)).asks(Stage.FACTOR)
    state = keypad.refused(state, IdentityRefused(Refusal.MALFORMED_FACTOR)).asks(Stage.CODE)
    assert keypad.refused(state, IdentityRefused(Refusal.WRONG_CODE)).stage is Stage.PERSON


def test_a_wrong_factor_is_asked_for_again_without_the_id_number() -> None:
    state = keypad.refused(ASKED.asks(Stage.FACTOR), IdentityRefused(Refusal.MALFORMED_FACTOR))
    assert (state.stage, state.sealed_id) == (Stage.FACTOR, "a1.x")


def test_the_second_silence_in_a_row_ends_it() -> None:
    once = keypad.unheard(ASKED)
    assert (once.stage, once.told) == (Stage.ID_NUMBER, "unheard")
    assert keypad.unheard(once.asks(Stage.FACTOR)).stage is Stage.FACTOR
    twice = keypad.unheard(once)
    assert (twice.stage, twice.sealed_id) == (Stage.BACK, "")
    assert "先不核实了" in _said(twice)


@pytest.mark.parametrize(
    ("keys", "stage", "agreed"),
    [("1", Stage.ID_NUMBER, True), ("2", Stage.BACK, False), ("5", Stage.CONSENT, False), ("#", Stage.CONSENT, False)],
)
def test_the_notice_is_agreed_to_with_one_key_alone(keys: str, stage: Stage, agreed: bool) -> None:
    state = keypad.answered_notice(KeypadState(turn=1), keys)
    assert (state.stage, state.agreed) == (stage, agreed)


@pytest.mark.parametrize(
    ("wait_s", "said"),
    [(0, "1分钟"), (60, "1分钟"), (61, "2分钟"), (3540, "59分钟"), (3541, "1小时"), (86400, "24小时")],
)
def test_a_lock_is_told_with_its_length(wait_s: int, said: str) -> None:
    state = keypad.refused(ASKED, IdentityRefused(Refusal.LOCKED, wait_s=wait_s))
    assert state.stage is Stage.BACK
    assert f"请{said}后再试" in _said(state)


def test_the_last_wrong_attempt_before_a_lock_is_told_as_the_lock() -> None:
    state = keypad.refused(ASKED, IdentityRefused(Refusal.MISMATCH, wait_s=60, attempts_left=0))
    assert (state.stage, state.told) == (Stage.BACK, "locked")


def test_another_code_too_soon_does_not_end_what_was_begun() -> None:
    waiting = ASKED.asks(Stage.CODE, mobile_tail="5678")
    state = keypad.refused(waiting, IdentityRefused(Refusal.TOO_MANY_CODES, wait_s=40))
    assert (state.stage, state.failures) == (Stage.CODE, 0)
    assert "请等1分钟" in _said(state)
    at_once = keypad.refused(ASKED.asks(Stage.FACTOR), IdentityRefused(Refusal.TOO_MANY_CODES, wait_s=40))
    assert at_once.stage is Stage.BACK


def test_the_end_of_the_id_number_is_read_digit_by_digit() -> None:
    assert keypad.says(ASKED.asks(Stage.FACTOR), id_tail="0028")[0].startswith("尾号0 0 2 8，")
    assert "尾号0 0 2X，" in keypad.says(ASKED.asks(Stage.FACTOR), id_tail="002X")[0]


def test_six_digits_are_the_password_and_more_a_card() -> None:
    assert keypad.factor("246801").kind is FactorKind.QUERY_PASSWORD
    assert keypad.factor("6217000000000000012").kind is FactorKind.BANK_CARD


STATES = st.builds(
    KeypadState,
    turn=st.integers(1, 999),
    entry=st.integers(0, 999),
    stage=st.sampled_from(Stage),
    busy=st.booleans(),
    session=st.text(max_size=10),
    agreed=st.booleans(),
    sealed_id=st.text(max_size=10),
    failures=st.integers(0, 3),
    told=st.sampled_from(["", "unheard"]),
)


@given(state=STATES)
def test_a_stored_state_comes_back_as_it_was(state: KeypadState) -> None:
    assert KeypadState.from_record(state.to_record()) == state


def test_no_session_and_no_number_is_shown() -> None:
    shown = repr(KeypadState(turn=1, session="secret-1", sealed_id="secret-2"))
    assert "secret" not in shown
