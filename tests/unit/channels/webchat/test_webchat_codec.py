"""The page's JSON in and out."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.webchat.codec import (
    MAX_BODY_BYTES,
    MAX_CHARACTERS,
    BadMessage,
    Problem,
    clean,
    decode_message,
    encode_line,
    encode_typing,
    external_id,
)
from hotline.domain.messages import Choice
from hotline.ports import ChatLine, Typing

ID = "3f2b8c1e-5a47-4c1d-9e0f-0123456789ab"


def body(text: object = "租房能提多少", client_id: object = ID) -> bytes:
    return json.dumps({"id": client_id, "text": text}).encode()


def problem_of(raw: bytes) -> Problem:
    with pytest.raises(BadMessage) as caught:
        decode_message(raw)
    return caught.value.problem


def test_message_keeps_its_words_and_its_newlines() -> None:
    message = decode_message(body("第一行\r\n第二行\r第三行\u2028第四行"))
    assert message.text == "第一行\n第二行\n第三行\n第四行"
    assert message.id == ID


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe", b"[]", b'"text"', b"null", b"{", b"[" * 10_000, b'{"id": "x"}', body(5), body(None)]
)
def test_what_is_no_message_is_unreadable(raw: bytes) -> None:
    assert problem_of(raw) is Problem.UNREADABLE


@pytest.mark.parametrize("client_id", ["", "1", ID.upper(), ID + "0", f"{ID}\n", 7, None, "x" * 36])
def test_id_that_is_no_uuid_is_refused(client_id: object) -> None:
    assert problem_of(body(client_id=client_id)) is Problem.BAD_ID


@pytest.mark.parametrize("text", ["", "   ", "\n\t\r\n", "\u3000", "\u200b\ufeff", "\x00", "\u200d \u200d", "\ud800"])
def test_text_nobody_can_see_is_empty(text: str) -> None:
    assert problem_of(body(text)) is Problem.EMPTY


def test_thousand_characters_are_taken_and_one_more_is_not() -> None:
    assert decode_message(body("金" * MAX_CHARACTERS)).text == "金" * MAX_CHARACTERS
    assert problem_of(body("金" * (MAX_CHARACTERS + 1))) is Problem.TOO_LONG


def test_thousand_escaped_astral_characters_fit_in_the_body() -> None:
    raw = body("🏠" * MAX_CHARACTERS)
    assert len(raw) <= MAX_BODY_BYTES
    assert len(decode_message(raw).text) == MAX_CHARACTERS


def test_body_beyond_its_limit_is_not_even_parsed() -> None:
    assert problem_of(b"{" * (MAX_BODY_BYTES + 1)) is Problem.TOO_LARGE


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("a\x00b\x1bc\x7fd", "abcd"),
        ("余额\ud83d查询", "余额查询"),
        ("退\u202e休\u2066提取", "退休提取"),
        ("一\t二", "一 二"),
        ("👨\u200d👩\u200d👧 提取", "👨\u200d👩\u200d👧 提取"),
        ("㐂𠮷野家", "㐂𠮷野家"),
        ("\ue000金", "金"),
    ],
)
def test_characters_that_hide_something_go(given_text: str, kept: str) -> None:
    assert clean(given_text) == kept


@given(st.text(alphabet=st.characters(codec=None), max_size=200))
def test_clean_text_can_be_stored_and_cleaning_again_changes_nothing(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert clean(cleaned) == cleaned
    assert not any(unicodedata.category(c) in {"Cc", "Cs"} and c != "\n" for c in cleaned)


def test_line_goes_out_with_the_id_the_page_knows() -> None:
    line = ChatLine(seq=3, author="citizen", text="租房", at="2026-11-23T06:00:00+00:00", message_id=f"v1:{ID}")
    assert encode_line(line, visitor="v1") == {
        "seq": 3,
        "author": "citizen",
        "text": "租房",
        "at": "2026-11-23T06:00:00+00:00",
        "choices": [],
        "id": ID,
        "signed": "",
    }


def test_an_agents_line_says_who_speaks_and_keeps_the_desks_own_id_to_itself() -> None:
    line = ChatLine(seq=4, author="agent", text="您好", at="", message_id="d-1", signed="坐席1024")
    encoded = encode_line(line, visitor="v1")
    assert (encoded["author"], encoded["id"], encoded["signed"]) == ("agent", "", "坐席1024")


def test_choices_go_out_with_label_and_text() -> None:
    choices = (Choice(label="要什么材料", text="租房提取要什么材料？"),)
    line = ChatLine(seq=4, author="bot", text="能提。", at="", choices=choices)
    assert encode_line(line, visitor="v1")["choices"] == [{"label": "要什么材料", "text": "租房提取要什么材料？"}]


def test_typing_says_who_and_whether() -> None:
    assert encode_typing(Typing(on=True, author="agent")) == {"on": True, "author": "agent"}


def test_two_visitors_with_one_client_id_mean_two_messages() -> None:
    assert external_id("a", ID) != external_id("b", ID)
