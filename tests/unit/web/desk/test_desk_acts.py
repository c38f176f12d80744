"""What members of staff do on the desk's pages, and how it is refused."""

from __future__ import annotations

import json

import pytest

from hotline.agent_desk import DeskRefused, Refusal
from hotline.desk_store import WrapUp
from hotline.domain.desk import Group
from hotline.errors import TemporaryError
from tests.fake_desk import FakeDesk
from tests.unit.web.desk.desk_kit import Visitor

pytestmark = pytest.mark.anyio

ACTS = (
    "/desk/state",
    "/desk/requests/5/accept",
    "/desk/requests/5/pick",
    "/desk/requests/5/decline",
    "/desk/requests/4/wrap-up",
    "/desk/c/c-rent/lines",
    "/desk/c/c-rent/check",
    "/desk/c/c-rent/typing",
    "/desk/c/c-rent/notes",
    "/desk/c/c-rent/transfer",
    "/desk/c/c-rent/end",
    "/desk/c/c-rent/reveal",
    "/supervisor/c/c-rent/take-over",
    "/supervisor/c/c-rent/whisper",
)
STATUS = {Refusal.NOT_YOURS: 409, Refusal.GONE: 410, Refusal.WINDOW_CLOSED: 409, Refusal.NOT_ALLOWED: 403}


@pytest.mark.parametrize("path", ACTS)
async def test_nothing_is_done_without_the_token_of_the_session(lin: Visitor, path: str) -> None:
    before = list(lin.desk.events)
    assert (await lin.post(path, token="another", text="x", state="busy", client_id="1")).status_code == 403
    assert lin.desk.events == before


@pytest.mark.parametrize("path", ACTS)
async def test_no_act_is_done_by_reading(lin: Visitor, path: str) -> None:
    before = list(lin.desk.events)
    assert (await lin.get(path)).status_code in (200, 405, 410)
    assert lin.desk.events == before


@pytest.mark.parametrize("path", ["/supervisor/c/c-rent/take-over", "/supervisor/c/c-rent/whisper"])
async def test_agent_does_nothing_of_a_supervisors(wang: Visitor, path: str) -> None:
    assert (await wang.post(path, text="x")).status_code == 403
    assert wang.desk.events == []


async def test_line_sent_twice_stands_once(wang: Visitor) -> None:
    first = await wang.post("/desk/c/c-rent/lines", client_id="line-1", text="每月 1400 元")
    again = await wang.post("/desk/c/c-rent/lines", client_id="line-1", text="每月 1400 元")
    assert (first.json()["again"], again.json()["again"]) == (False, True)
    assert first.json()["seq"] == again.json()["seq"]
    assert [line.text for line in wang.desk.talks["c-rent"].lines].count("每月 1400 元") == 1
    assert 'data-message="line-1"' in first.json()["html"]


@pytest.mark.parametrize("client_id", ["", "x" * 65])
async def test_line_without_a_name_of_its_own_is_not_taken(wang: Visitor, client_id: str) -> None:
    assert (await wang.post("/desk/c/c-rent/lines", client_id=client_id, text="x")).status_code == 422
    assert wang.asked("say") == []


@pytest.mark.parametrize("refusal", list(Refusal))
async def test_every_refusal_is_told_in_plain_words(desk: FakeDesk, wang: Visitor, refusal: Refusal) -> None:
    desk.refuse["say"] = DeskRefused(refusal, found=["id_number"])
    answer = await wang.post("/desk/c/c-rent/lines", client_id="1", text="x")
    told = answer.json()
    assert answer.status_code == STATUS.get(refusal, 422)
    assert told["code"] == refusal.value
    assert len(told["message"]) > 5
    assert "{" not in told["message"]
    assert "id_number" not in told["message"]


async def test_personal_number_is_refused_with_a_text_that_could_be_sent(wang: Visitor) -> None:
    answer = await wang.post("/desk/c/c-rent/lines", client_id="1", text="身份证 11010519491231002X 收到")
    assert answer.status_code == 422
    assert "身份证号" in answer.json()["message"]
    assert "11010519491231002X" not in answer.json()["masked"]
    assert answer.json()["masked"].endswith("收到")


async def test_sensitive_words_are_named(wang: Visitor) -> None:
    answer = await wang.post("/desk/c/c-rent/lines", client_id="1", text="保证能批")
    assert "保证能批" in answer.json()["message"]
    assert "masked" not in answer.json()


@pytest.mark.parametrize(("path", "what"), [("/desk/c/c-rent/lines", "say"), ("/desk/requests/5/accept", "accept")])
async def test_absent_database_is_told_and_may_be_tried_again(
    desk: FakeDesk, wang: Visitor, path: str, what: str
) -> None:
    desk.refuse[what] = TemporaryError("away", retry_after_s=3)
    answer = await wang.post(path, client_id="1", text="x")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "3"
    assert "稍后再试" in answer.json()["message"]


async def test_huge_paste_is_refused_and_nothing_is_asked(wang: Visitor) -> None:
    answer = await wang.post("/desk/c/c-rent/lines", client_id="1", text="长" * 20_000)
    assert answer.status_code == 413
    assert "请删减" in answer.json()["message"]
    assert wang.asked("say") == []


async def test_what_is_no_form_is_refused(wang: Visitor) -> None:
    headers = {"X-CSRF-Token": "token-of-this-session"}
    answer = await wang.client.post("/desk/c/c-rent/lines", content=b"\xff\xfe=1", headers=headers)
    assert answer.status_code == 422


async def test_draft_is_looked_at_and_counted(wang: Visitor) -> None:
    told = (await wang.post("/desk/c/c-overdue/check", text="您" * 80)).json()
    assert (told["characters"], told["parts"], told["code"]) == (80, 2, "")


async def test_offer_is_accepted_once_and_refused_to_who_comes_late(desk: FakeDesk, wang: Visitor) -> None:
    assert (await wang.post("/desk/requests/5/accept")).json() == {"conversation": "c-offer"}
    assert (await wang.post("/desk/requests/5/accept")).status_code == 200, "accepting twice is accepting"
    await desk.take_over("c-offer", agent=desk.agent("lin"))
    answer = await wang.post("/desk/requests/5/accept")
    assert answer.status_code == 410
    assert "来晚了一步" in answer.json()["message"]


async def test_offer_is_declined(desk: FakeDesk, wang: Visitor) -> None:
    assert (await wang.post("/desk/requests/5/decline")).status_code == 204
    assert 'class="offer"' not in (await wang.get("/desk/mine")).text


async def test_somebody_is_picked_out_of_the_queue(wang: Visitor) -> None:
    assert (await wang.post("/desk/requests/7/pick")).json() == {"conversation": "c-wait-2"}


@pytest.mark.parametrize("number", ["x", "9" * 30, "99"])
async def test_request_that_is_none_is_gone(wang: Visitor, number: str) -> None:
    assert (await wang.post(f"/desk/requests/{number}/accept")).status_code == 410


async def test_state_is_changed_and_shown(wang: Visitor) -> None:
    html = (await wang.post("/desk/state", state="busy")).text
    assert 'class="state state-busy"' in html


async def test_who_holds_conversations_is_told_why_he_cannot_leave(desk: FakeDesk, wang: Visitor) -> None:
    desk.refuse["set_state"] = DeskRefused(Refusal.NOT_ALLOWED)
    answer = await wang.post("/desk/state", state="offline")
    assert answer.status_code == 409
    assert "先结束或转接" in answer.json()["message"]


async def test_state_that_is_none_is_refused(wang: Visitor) -> None:
    assert (await wang.post("/desk/state", state="asleep")).status_code == 422


async def test_conversation_goes_to_a_group_or_a_colleague(wang: Visitor) -> None:
    answer = await wang.post("/desk/c/c-rent/transfer", to="group:loan", note=" 查过余额 ")
    assert answer.status_code == 204
    assert json.loads(answer.headers["hx-trigger"]) == {"desk:transferred": {"conversation": "c-rent"}}
    await wang.post("/desk/c/c-base/transfer", to="staff:liang", note="")
    assert wang.asked("transfer") == [("c-rent", Group.LOAN, "", "查过余额"), ("c-base", None, "liang", "")]


@pytest.mark.parametrize("to", ["", "group:nothing", "staff:nobody", "else:x"])
async def test_transfer_to_nowhere_is_refused(wang: Visitor, to: str) -> None:
    answer = await wang.post("/desk/c/c-rent/transfer", to=to)
    assert answer.json()["code"] == "unknown_target"
    assert wang.desk.talks["c-rent"].at.holder == "wang"


async def test_conversation_is_ended_and_wrapped_up(wang: Visitor) -> None:
    assert (await wang.post("/desk/c/c-rent/end")).status_code == 204
    form = {"reason": "withdraw-rent", "solved": "yes", "note": "n", "summary": "s"}
    assert (await wang.post("/desk/requests/1/wrap-up", **form)).status_code == 204
    assert wang.asked("wrap_up") == [WrapUp(reason="withdraw-rent", solved=True, note="n", summary="s")]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"reason": "", "solved": "yes"}, "choose_reason"),
        ({"reason": "made-up", "solved": "yes"}, "choose_reason"),
        ({"reason": "other", "solved": ""}, "choose_solved"),
        ({"reason": "other", "solved": "no", "note": "x" * 1001}, "too_long"),
    ],
)
async def test_wrap_up_that_says_too_little_or_too_much_is_refused(
    wang: Visitor, form: dict[str, str], code: str
) -> None:
    answer = await wang.post("/desk/requests/4/wrap-up", **form)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert wang.asked("wrap_up") == []


async def test_number_is_shown_for_a_while_after_a_reason_was_given(wang: Visitor) -> None:
    refused = await wang.post("/desk/c/c-rent/reveal", field="id_number", reason="看看", other=" ")
    assert "写明查看原因" in refused.json()["message"]
    assert wang.asked("reveal") == []
    answer = await wang.post("/desk/c/c-rent/reveal", field="id_number", reason="核对本人身份", other="")
    assert 'data-hides-after="20"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert wang.asked("reveal") == [("c-rent", "id_number", "核对本人身份")]


async def test_field_that_is_none_is_not_revealed(wang: Visitor) -> None:
    assert (await wang.post("/desk/c/c-rent/reveal", field="password", reason="核对")).status_code == 422
    assert wang.asked("reveal") == []


@pytest.mark.parametrize("path", ["lines", "check", "notes", "transfer", "end", "reveal"])
async def test_colleagues_conversation_is_not_touched(wang: Visitor, path: str) -> None:
    given = {"client_id": "1", "text": "x", "to": "group:loan", "field": "mobile", "reason": "核对"}
    answer = await wang.post(f"/desk/c/c-chen-1/{path}", **given)
    assert answer.json()["code"] == "not_yours"
    assert wang.desk.events == []
    assert wang.asked("reveal") == []


async def test_note_is_kept_and_its_page_told(wang: Visitor) -> None:
    answer = await wang.post("/desk/c/c-rent/notes", text="配偶也在广州缴存")
    assert json.loads(answer.headers["hx-trigger"])["desk:noted"] == {"conversation": "c-rent", "note": 3}
    assert "配偶也在广州缴存" in (await wang.get("/desk/c/c-rent/lines", after="999", noted="2")).text


async def test_typing_is_told(wang: Visitor) -> None:
    assert (await wang.post("/desk/c/c-rent/typing", on="1")).status_code == 204
    assert wang.asked("typing") == [("c-rent", True)]


async def test_supervisor_takes_over_and_whispers(lin: Visitor) -> None:
    assert (await lin.post("/supervisor/c/c-rent/whisper", text="先安抚")).status_code == 204
    assert lin.desk.talks["c-rent"].notes[-1].kind == "whisper"
    assert (await lin.post("/supervisor/c/c-rent/take-over")).json() == {"conversation": "c-rent"}
    assert lin.desk.talks["c-rent"].at.holder == "lin"
