"""Fields to messages and answers to texts, without any wire."""

from __future__ import annotations

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st

from channels.wechat import codec
from hotline.domain.messages import Choice, InboundKind, Reply
from hotline.ports import RefusedRequest


def event(**fields: str) -> dict[str, str]:
    return {"FromUserName": "openid-1", "CreateTime": "1767225600", "MsgType": "event"} | fields


def test_two_events_of_one_second_are_two_messages() -> None:
    followed = codec.decode(event(Event="subscribe", EventKey="qrscene_7"))
    first_key = codec.decode(event(Event="CLICK", EventKey="余额"))
    second_key = codec.decode(event(Event="CLICK", EventKey="转人工"))
    assert len({one.external_id for one in (followed, first_key, second_key)}) == 3


def test_event_that_is_sent_again_keeps_its_id() -> None:
    assert codec.decode(event(Event="CLICK", EventKey="余额")) == codec.decode(event(Event="CLICK", EventKey="余额"))


def test_event_id_says_what_it_was() -> None:
    assert codec.decode(event(Event="subscribe")).external_id.startswith("subscribe-")


def test_one_msg_id_from_two_citizens_is_two_messages() -> None:
    message = {"MsgType": "text", "Content": "在吗", "MsgId": "1001"}
    ids = {codec.decode(message | {"FromUserName": name}).external_id for name in ("openid-1", "openid-2")}
    assert len(ids) == 2
    assert all(one.startswith("1001-") for one in ids)


def test_openid_is_not_readable_in_an_id() -> None:
    assert "openid-1" not in codec.decode(event(Event="CLICK", EventKey="余额")).external_id


@pytest.mark.parametrize("kind", ["image", "video", "shortvideo", "location", "link", "file", "hologram"])
def test_message_that_is_no_text_is_unsupported(kind: str) -> None:
    assert codec.decode({"FromUserName": "a", "MsgType": kind, "MsgId": "1"}).kind is InboundKind.UNSUPPORTED


def test_blank_text_and_blank_recognition_are_unsupported() -> None:
    for fields in ({"MsgType": "text", "Content": " "}, {"MsgType": "voice", "Recognition": "。"}):
        assert codec.decode({"FromUserName": "a", **fields}).kind is InboundKind.UNSUPPORTED


def test_message_without_kind_is_kept_and_not_answered() -> None:
    assert codec.decode({"FromUserName": "a"}).kind is InboundKind.IGNORED


def test_message_without_sender_is_refused() -> None:
    with pytest.raises(RefusedRequest) as caught:
        codec.decode({"MsgType": "text", "Content": "你好"})
    assert caught.value.status == 400


@pytest.mark.parametrize("time", ["", "soon", "-5", "1767225600000", "９９"])
def test_unusable_create_time_is_left_out(time: str) -> None:
    assert codec.decode(event(Event="CLICK", EventKey="余额", CreateTime=time)).sent_at is None


def test_tapped_link_and_message_id_are_told_to_the_core() -> None:
    inbound = codec.decode({"FromUserName": "a", "MsgType": "text", "Content": "好", "bizmsgmenuid": "2", "MsgId": "7"})
    assert inbound.meta == {"msg_type": "text", "msg_id": "7", "menu_id": "2"}


@given(st.dictionaries(st.sampled_from(["MsgType", "Event", "EventKey", "Content", "MsgId", "CreateTime"]), st.text()))
def test_any_fields_decode_to_an_id_of_bounded_size(fields: dict[str, str]) -> None:
    inbound = codec.decode({"FromUserName": "openid-1", **fields})
    assert 1 <= len(inbound.external_id) <= 64
    assert codec.decode({"FromUserName": "openid-1", **fields}) == inbound


@given(st.text(), st.text())
def test_link_holds_nothing_that_ends_it_early(label: str, text: str) -> None:
    line = codec.render([Reply(text="", choices=(Choice(label=label, text=text),))]).split("\n")[0]
    opening, _, rest = line.partition("msgmenucontent=")
    said, _, tail = rest.partition("&msgmenuid=1")
    assert opening.endswith('<a href="weixin://bizmsgmenu?')
    assert not set('"<>& \n') & set(said)
    assert tail.count("<") == 1
    assert tail.endswith("</a>")


@given(st.text(alphabet="公积金。！\n a<]>", max_size=400), st.integers(min_value=60, max_value=300))
def test_parts_fit_and_lose_nothing_but_line_ends(text: str, limit: int) -> None:
    parts = codec.split(text, limit)
    assert all(len(part.encode()) <= limit for part in parts)
    bodies = [part.partition("）")[2] if len(parts) > 1 else part for part in parts]
    assert "".join(bodies).replace("\n", "") == text.replace("\n", "")


def test_text_of_exactly_the_limit_is_one_part() -> None:
    assert codec.split("长" * 682 + "ab") == ["长" * 682 + "ab"]
    assert len(codec.split("长" * 682 + "abc")) == 2


def test_link_is_never_cut_in_two() -> None:
    choices = tuple(Choice(label=f"第{n}种情况。可以提取吗？", text=f"第{n}种情况") for n in range(30))
    parts = codec.split(codec.render([Reply(text="您是哪一种情况？", choices=choices)]))
    assert len(parts) > 1
    assert sum(part.count("<a ") for part in parts) == 30
    assert all(part.count("<a ") == part.count("</a>") for part in parts)


@given(st.text())
def test_passive_xml_carries_every_text(text: str) -> None:
    rendered = codec.render([Reply(text=text)])
    xml = codec.passive_xml(rendered, to="a", sender="b", created=1)
    assert (xmltodict.parse(xml, strip_whitespace=False)["xml"]["Content"] or "") == rendered
