"""The identity pages over identity in memory: the way through, what is refused and how it is worded."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
import time_machine
from dev_app import CENTRE
from fake_identification import CODE, FakeIdentification
from identity_visits import (
    CARD,
    FILLED,
    ID_NUMBER,
    PASSWORD,
    SECRETS,
    WEB,
    WORDING,
    at_code,
    opened,
    problem,
    sent,
)

from hotline.domain.fund import Factor, FactorKind
from hotline.domain.identity import IdentityRefused, Refusal
from hotline.errors import ConfigError, TemporaryError
from web.citizen.identity_pages import END_STATUS
from web.citizen.identity_wording import WORDING_FILE, load_identity_wording

pytestmark = pytest.mark.anyio

# ---- the way through -----------------------------------------------------------------------------


async def test_citizen_proves_who_he_is_in_two_steps(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    first = await opened(client)
    assert first.url.path == "/id"
    assert WORDING.pages["prove"]["title"] in first.text
    second = await sent(client, "prove", first, **FILLED)
    assert second.url.path == "/id"
    assert "138****5678" in second.text
    assert 'autocomplete="one-time-code"' in second.text
    done = await sent(client, "confirm", second, code=CODE)
    assert "已完成，可以回到对话继续" in done.text
    assert "陈**" in done.text
    assert 'href="/chat"' in done.text
    told = identification.said["prove"][0]
    assert told["factor"] == Factor(kind=FactorKind.BANK_CARD, value=CARD)
    assert (told["id_number"], told["consent"], told["browser"]) == (ID_NUMBER, True, "v" * 22)


async def test_query_password_is_the_other_choice(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    await sent(
        client,
        "prove",
        await opened(client),
        **FILLED | {"factor": "query_password", "bank_card": "", "query_password": PASSWORD},
    )
    assert identification.said["prove"][0]["factor"] == Factor(kind=FactorKind.QUERY_PASSWORD, value=PASSWORD)


async def test_unticked_box_is_no_consent(client: httpx.AsyncClient, identification: FakeIdentification) -> None:
    fields = {name: value for name, value in FILLED.items() if name != "consent"}
    await sent(client, "prove", await opened(client), **fields)
    assert identification.said["prove"][0]["consent"] is False


async def test_who_has_agreed_before_is_asked_again_only_for_a_new_notice(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    first = await opened(client, "web.step_up.1")
    assert 'name="consent"' not in first.text
    identification.refusals["prove"] = [IdentityRefused(Refusal.NO_CONSENT)]
    again = await sent(client, "prove", first, **FILLED)
    assert 'name="consent"' in again.text
    assert 'name="consent" value="yes" aria-invalid="true"' in again.text


async def test_another_code_can_be_sent(client: httpx.AsyncClient, identification: FakeIdentification) -> None:
    identification.again_after_s = 42
    page = await sent(client, "again", await at_code(client))
    assert len(identification.said["send_again"]) == 1
    assert re.search(r'data-again-in="4[0-2]"', page.text)


async def test_too_many_codes_wait_with_the_button(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    page = await at_code(client)
    identification.refusals["send_again"] = [IdentityRefused(Refusal.TOO_MANY_CODES, wait_s=600)]
    page = await sent(client, "again", page)
    assert "请10分钟后再试" in problem(page)
    assert re.search(r'data-again-in="(600|59\d)"', page.text)


async def test_link_tapped_again_goes_on_where_the_sign_in_is(client: httpx.AsyncClient) -> None:
    await at_code(client)
    assert "138****5678" in (await opened(client)).text


async def test_newer_link_begins_anew(client: httpx.AsyncClient) -> None:
    await at_code(client)
    assert 'name="id_number"' in (await opened(client, "web.bind.2")).text


async def test_sms_link_works_in_any_browser_and_says_how_to_go_back(client: httpx.AsyncClient) -> None:
    client.cookies.clear()
    done = await sent(client, "confirm", await at_code(client, "sms.bind.1"), code=CODE)
    assert "这个手机号" in done.text
    assert WORDING.pages["common"]["close_how"] in done.text
    assert 'href="/chat"' not in done.text


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", list(Refusal))
async def test_every_refusal_says_what_to_do_next(
    client: httpx.AsyncClient, identification: FakeIdentification, reason: Refusal
) -> None:
    identification.refusals["prove"] = [IdentityRefused(reason)]
    page = await sent(client, "prove", await opened(client), **FILLED)
    sentence = WORDING.refusal(reason)
    assert sentence in page.text
    assert "请" in sentence
    assert "{" not in sentence
    assert not any(secret in page.text for secret in SECRETS)


@pytest.mark.parametrize("reason", list(Refusal))
async def test_refused_code_says_what_to_do_next(
    client: httpx.AsyncClient, identification: FakeIdentification, reason: Refusal
) -> None:
    page = await at_code(client)
    identification.refusals["confirm"] = [IdentityRefused(reason)]
    assert WORDING.refusal(reason) in (await sent(client, "confirm", page, code=CODE)).text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "稍后"), (30, "30秒后"), (60, "1分钟后"), (599, "10分钟后"), (3600, "1小时后"), (86_400, "1天后")],
)
def test_wait_is_said_in_words(seconds: int, words: str) -> None:
    assert f"请{words}再试" in WORDING.refusal(Refusal.LOCKED, wait_s=seconds)


def test_lock_that_begins_with_a_mismatch_is_said_instead_of_tries() -> None:
    sentence = WORDING.refusal(Refusal.MISMATCH, wait_s=60, tries=0)
    assert sentence.endswith("请1分钟后再试。")
    assert "请1分钟后再试" not in WORDING.refusal(Refusal.MISMATCH, tries=3)


async def test_tries_left_are_said_and_neither_field_is_blamed(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    identification.refusals["prove"] = [IdentityRefused(Refusal.MISMATCH, attempts_left=3)]
    page = await sent(client, "prove", await opened(client), **FILLED)
    assert problem(page).endswith("还可以试3次。")
    assert "aria-invalid" not in page.text


async def test_malformed_field_is_marked(client: httpx.AsyncClient, identification: FakeIdentification) -> None:
    identification.refusals["prove"] = [IdentityRefused(Refusal.MALFORMED_ID)]
    page = await sent(client, "prove", await opened(client), **FILLED)
    assert re.search(r'<input id="id_number"[^>]*aria-invalid="true"', page.text)
    assert page.text.count("aria-invalid") == 1


async def test_wait_runs_down_while_the_page_is_looked_at(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    identification.refusals["prove"] = [IdentityRefused(Refusal.LOCKED, wait_s=300)]
    with time_machine.travel("2026-11-25T02:00:00Z", tick=False) as clock:
        first = await sent(client, "prove", await opened(client), **FILLED)
        assert "请5分钟后再试" in problem(first)
        clock.shift(241)
        assert "请59秒后再试" in problem(await client.get("/id"))


async def test_another_person_begins_anew_and_a_wrong_code_does_not(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    page = await sent(client, "confirm", await at_code(client), code="000000")
    assert "还可以试4次" in problem(page)
    assert 'name="code"' in page.text
    identification.refusals["confirm"] = [IdentityRefused(Refusal.ANOTHER_PERSON)]
    assert 'name="id_number"' in (await sent(client, "confirm", page, code=CODE)).text


@pytest.mark.parametrize("reason", [Refusal.LINK_EXPIRED, Refusal.LINK_USED, Refusal.OTHER_BROWSER, Refusal.LOCKED])
async def test_link_that_cannot_be_opened_leaves_the_address_and_says_how_to_get_one(
    client: httpx.AsyncClient, identification: FakeIdentification, reason: Refusal
) -> None:
    identification.refusals["open_link"] = [IdentityRefused(reason, wait_s=600 if reason is Refusal.LOCKED else 0)]
    page = await opened(client)
    assert page.url.path == f"/id/ended/{reason}"
    assert page.status_code == END_STATUS[reason]
    expected = "请10分钟后再试" if reason is Refusal.LOCKED else "验证身份"
    assert expected in page.text
    assert WEB not in str(page.url)


async def test_core_that_is_away_is_said_kindly_everywhere(
    client: httpx.AsyncClient, identification: FakeIdentification
) -> None:
    away = TemporaryError("storage is away")
    identification.refusals["link_channel"] = [away]
    page = await opened(client)
    assert page.status_code == 503
    assert "12329" in page.text
    identification.refusals["prove"] = [away]
    assert problem(await sent(client, "prove", await opened(client), **FILLED)) == WORDING.refusal(Refusal.CORE_AWAY)


async def test_what_is_no_link_is_said_to_be_over(client: httpx.AsyncClient) -> None:
    assert (await opened(client, "guessed.bind.1")).url.path == "/id/ended/link_expired"


async def test_sign_in_that_was_left_lying_has_expired(client: httpx.AsyncClient) -> None:
    with time_machine.travel("2026-11-25T02:00:00Z", tick=False) as clock:
        await opened(client)
        clock.shift(600)
        page = await client.get("/id")
    assert page.status_code == 410
    assert "验证身份" in page.text
    assert "<form" not in page.text


async def test_page_without_a_sign_in_says_how_to_get_one(client: httpx.AsyncClient) -> None:
    for page in (await client.get("/id"), await client.post("/id/prove", data=FILLED)):
        assert page.status_code == 410
        assert "验证身份" in page.text


async def test_end_nobody_knows_is_an_expired_page(client: httpx.AsyncClient) -> None:
    page = await client.get("/id/ended/<script>?wait=99999999999999999999")
    assert WORDING.ends["expired"]["title"] in page.text
    assert "<script>" not in page.text


# ---- words ---------------------------------------------------------------------------------------


async def test_notice_says_purpose_what_is_kept_how_long_and_rights(client: httpx.AsyncClient) -> None:
    page = await client.get("/id/notice")
    for words in (CENTRE.name, "做什么用", "保存多久", "解除绑定", "12329", "个人信息保护法", "单独同意"):
        assert words in page.text
    assert WORDING.pages["notice"]["edition"] in page.text
    assert WORDING.pages["notice"]["title"] in (await opened(client)).text


async def test_form_says_where_numbers_may_be_given_and_how_others_are_helped(client: httpx.AsyncClient) -> None:
    page = await opened(client)
    for words in ("只在这个页面填写", "验证码不要告诉任何人", "替家人或单位办理？", "授权委托书"):
        assert words in page.text


def test_every_end_has_words_and_a_status() -> None:
    assert set(WORDING.ends) == set(END_STATUS)
    assert all(end["title"] and end["text"] for end in WORDING.ends.values())


@pytest.mark.parametrize(
    ("old", "new"), [('version: "', 'version: "9'), ("  wrong_code:", "  other_code:"), ("common:", "common: [")]
)
def test_wording_that_cannot_be_used_is_one_sentence_for_the_operator(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "identity_wording.yml"
    path.write_text(WORDING_FILE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"identity_wording\.yml"):
        load_identity_wording(CENTRE, path)
