"""The pages that verify certificates and hand them out."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from urllib.parse import quote

import httpx
import pytest
import structlog
import time_machine
from pypdf import PdfReader

from channels.webchat.visitors import Visitors
from hotline.certificates.facts import verify_address
from hotline.certificates.tickets import TicketProblem, TicketRefused
from hotline.domain.clock import utc_now
from hotline.domain.fund import Certificate
from hotline.domain.identity import Contact
from hotline.domain.messages import ChannelName
from hotline.errors import TemporaryError
from tests.fund_records import ID_NUMBER
from tests.unit.web.certificate_app import CertificateSite
from web.citizen.certificates import CertificateLimits
from web.citizen.limits import Rate

pytestmark = pytest.mark.anyio
VISITOR = "v" * 22
WEB = Contact(channel=ChannelName.WEB, address=VISITOR)
WECHAT = Contact(channel=ChannelName.WECHAT, address="openid-of-somebody")
NAME = "陈家明"
VERIFY = "/certificates/verify"


def client_of(site: CertificateSite) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(site.app())
    return httpx.AsyncClient(transport=transport, base_url=site.public_url, headers={"Sec-Fetch-Site": "same-origin"})


@pytest.fixture
def site() -> CertificateSite:
    return CertificateSite()


@pytest.fixture
async def client(site: CertificateSite) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(site) as client:
        yield client


def be_visitor(client: httpx.AsyncClient, site: CertificateSite, visitor: str = VISITOR) -> None:
    visitors = Visitors(site.settings.gateway.session_secret, secure=False)
    client.cookies.set(visitors.cookie_name, visitors.sign(visitor))


async def check(client: httpx.AsyncClient, number: str, code: str, **more: object) -> httpx.Response:
    return await client.post(VERIFY, data={"number": number, "code": code}, **more)  # type: ignore[arg-type]


async def fetch(client: httpx.AsyncClient, site: CertificateSite, contact: Contact = WEB) -> httpx.Response:
    return await client.get(f"/certificates/{site.ticket(contact)}")


def state_of(response: httpx.Response) -> str:
    found = re.search(r'data-state="(\w+)"', response.text)
    return found[1] if found else ""


def facts_of(response: httpx.Response) -> dict[str, str]:
    pairs = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", response.text)
    return {html.unescape(label): html.unescape(value) for label, value in pairs}


# verifying


async def test_scanned_code_fills_in_the_form_and_asks_nothing_yet(
    client: httpx.AsyncClient, site: CertificateSite
) -> None:
    certificate = await site.issued()
    site.fund.calls.clear()
    response = await client.get(verify_address(certificate, public_url=site.public_url))
    assert response.status_code == 200
    assert f'name="number" value="{certificate.number}"' in response.text
    assert f'name="code" value="{certificate.check_code}"' in response.text
    assert site.fund.calls == []


async def test_true_certificate_is_confirmed_with_its_facts(client: httpx.AsyncClient, site: CertificateSite) -> None:
    certificate = await site.issued()
    response = await check(client, certificate.number, certificate.check_code)
    assert (response.status_code, state_of(response)) == (200, "valid")
    facts = facts_of(response)
    assert "真实有效" in response.text
    assert facts["证明种类"] == "缴存证明"
    assert facts["姓名"] == "陈**"
    assert facts["证件号码"] == f"****{ID_NUMBER[-4:]}"
    assert facts["账户余额"] == "86,520.35元"
    assert facts["缴存单位"] == "广州星河软件有限公司"
    until = certificate.valid_until
    assert facts["有效期至"] == f"{until.year}年{until.month}月{until.day}日"


@pytest.mark.parametrize("days", [0, 100])
async def test_neither_name_nor_id_number_is_on_the_page(
    client: httpx.AsyncClient, site: CertificateSite, days: int
) -> None:
    certificate = await site.issued()
    with time_machine.travel(utc_now() + timedelta(days=days)):
        response = await check(client, certificate.number, certificate.check_code)
    assert state_of(response) in ("valid", "expired")
    assert NAME not in response.text
    assert ID_NUMBER not in response.text
    assert ID_NUMBER[:6] not in response.text


async def test_certificate_is_good_on_its_last_day_and_not_on_the_next(
    client: httpx.AsyncClient, site: CertificateSite
) -> None:
    with time_machine.travel("2026-11-24T10:00:00+08:00"):
        certificate = await site.issued()
    for day, state in (("2026-12-24T23:59:00+08:00", "valid"), ("2026-12-25T00:01:00+08:00", "expired")):
        with time_machine.travel(day):
            assert state_of(await check(client, certificate.number, certificate.check_code)) == state


async def test_expired_certificate_shows_when_but_no_figures(client: httpx.AsyncClient, site: CertificateSite) -> None:
    certificate = await site.issued()
    with time_machine.travel(utc_now() + timedelta(days=100)):
        response = await check(client, certificate.number, certificate.check_code)
    assert "已过期" in response.text
    assert set(facts_of(response)) == {"证明种类", "证明编号", "姓名", "证件号码", "开具日期", "有效期至"}


async def test_wrong_code_and_unknown_number_look_alike(client: httpx.AsyncClient, site: CertificateSite) -> None:
    certificate = await site.issued()
    wrong_code = await check(client, certificate.number, "000000")
    unknown = await check(client, "C999999", certificate.check_code)
    for response in (wrong_code, unknown):
        assert (response.status_code, state_of(response)) == (200, "unknown")
        assert "编号或校验码不对" in response.text
        assert facts_of(response) == {}
    assert f'value="{certificate.number}"' in wrong_code.text


async def test_number_may_be_typed_with_blanks_and_full_width_letters(
    client: httpx.AsyncClient, site: CertificateSite
) -> None:
    certificate = await site.issued()
    wide = "".join(chr(ord(character) + 0xFEE0) for character in certificate.number)
    assert state_of(await check(client, f" {wide[:3]} {wide[3:]}", f"{certificate.check_code}\t")) == "valid"


@pytest.mark.parametrize(("number", "code"), [("", "1"), ("1", ""), ("  ", "\u200b")])
async def test_empty_field_is_asked_for(
    client: httpx.AsyncClient, site: CertificateSite, number: str, code: str
) -> None:
    response = await check(client, number, code)
    assert (response.status_code, state_of(response)) == (400, "blank")
    assert site.fund.calls == []


@pytest.mark.parametrize("body", [b"number=1&code=" + b"x" * 5000, b"\xff\xfe", b"&" * 100, b'{"number": 1}'])
async def test_body_that_is_no_form_of_ours_is_not_looked_up(
    client: httpx.AsyncClient, site: CertificateSite, body: bytes
) -> None:
    response = await client.post(VERIFY, content=body)
    assert (response.status_code, state_of(response)) == (400, "blank")
    assert site.fund.calls == []


async def test_number_longer_than_any_is_unknown_without_asking(
    client: httpx.AsyncClient, site: CertificateSite
) -> None:
    response = await check(client, "9" * 65, "1")
    assert state_of(response) == "unknown"
    assert site.fund.calls == []


async def test_silent_core_system_says_nothing_against_the_certificate(
    client: httpx.AsyncClient, site: CertificateSite
) -> None:
    certificate = await site.issued()
    site.fund.away = True
    response = await check(client, certificate.number, certificate.check_code)
    assert (response.status_code, state_of(response)) == (503, "away")
    assert "不表示证明有问题" in response.text
    assert response.headers["Retry-After"] == "60"
    assert f'value="{certificate.check_code}"' in response.text


async def test_form_of_another_site_is_refused(client: httpx.AsyncClient, site: CertificateSite) -> None:
    response = await check(client, "C000001", "1", headers={"Sec-Fetch-Site": "cross-site"})
    assert (response.status_code, state_of(response)) == (403, "cross_origin")
    assert site.fund.calls == []


async def test_many_checks_from_one_address_have_to_wait() -> None:
    site = CertificateSite(limits=CertificateLimits(checks_of_address=Rate(burst=2, per_s=0.1)))
    async with client_of(site) as client:
        answers = [await check(client, f"C{n}", "1") for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "10"
    assert site.fund.calls == ["certificate"] * 2


async def test_guessing_the_code_of_one_number_has_to_wait() -> None:
    site = CertificateSite(limits=CertificateLimits(checks_of_number=Rate(burst=2, per_s=0.1)))
    async with client_of(site) as client:
        answers = [await check(client, "C1", str(n)) for n in range(3)]
        other = await check(client, "C2", "1")
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert other.status_code == 200


async def test_what_was_typed_stays_text(client: httpx.AsyncClient) -> None:
    response = await check(client, '"><script>alert(1)</script>', "1")
    assert "<script>alert" not in response.text
    scanned = await client.get(VERIFY, params={"number": "<b>", "code": "'\"><i>"})
    assert "<b>" not in scanned.text
    assert "<i>" not in scanned.text


async def test_pages_are_guarded_like_the_others(client: httpx.AsyncClient) -> None:
    for response in (await client.get(VERIFY), await client.get("/certificates/nothing")):
        assert response.headers["Cache-Control"] == "no-store"
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert response.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("sample", [True, False])
async def test_sample_system_says_so_on_the_page(sample: bool) -> None:
    async with client_of(CertificateSite(sample=sample)) as client:
        assert ("这里是演示系统" in (await client.get(VERIFY)).text) is sample


# downloading


async def test_ticket_fetches_the_certificate_as_a_file(client: httpx.AsyncClient, site: CertificateSite) -> None:
    be_visitor(client, site)
    response = await fetch(client, site)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Cache-Control"] == "no-store"
    name = quote("缴存证明-C000001.pdf", safe="")
    assert response.headers["Content-Disposition"].endswith(f"filename*=UTF-8''{name}")
    text = re.sub(r"\s", "", PdfReader(BytesIO(response.content)).pages[0].extract_text())
    assert NAME in text
    assert ID_NUMBER in text
    assert "演示样本" in text
    assert [(ticket.person_id, ticket.key) for ticket in site.asked] == [("id-1", "key-1")]


async def test_real_system_prints_no_sample() -> None:
    site = CertificateSite(sample=False)
    async with client_of(site) as client:
        be_visitor(client, site)
        response = await fetch(client, site)
    assert "样本" not in PdfReader(BytesIO(response.content)).pages[0].extract_text()


async def test_ticket_is_good_once(client: httpx.AsyncClient, site: CertificateSite) -> None:
    be_visitor(client, site)
    address = f"/certificates/{site.ticket(WEB)}"
    assert (await client.get(address)).status_code == 200
    again = await client.get(address)
    assert again.status_code == 410
    assert "已经下载过" in again.text


async def test_ticket_asked_for_twice_at_once_is_handed_out_once(
    client: httpx.AsyncClient, site: CertificateSite
) -> None:
    be_visitor(client, site)
    address = f"/certificates/{site.ticket(WEB)}"
    answers = await asyncio.gather(*(client.get(address) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 410, 410, 410]


async def test_expired_ticket_is_refused(client: httpx.AsyncClient, site: CertificateSite) -> None:
    be_visitor(client, site)
    address = f"/certificates/{site.ticket(WEB)}"
    with time_machine.travel(utc_now() + timedelta(minutes=11)):
        response = await client.get(address)
    assert response.status_code == 410
    assert "链接已过期" in response.text
    assert site.asked == []


@pytest.mark.parametrize("visitor", [None, "w" * 22])
async def test_other_visitor_is_refused(client: httpx.AsyncClient, site: CertificateSite, visitor: str | None) -> None:
    if visitor:
        be_visitor(client, site, visitor)
    response = await fetch(client, site)
    assert response.status_code == 403
    assert "不能在这里下载" in response.text
    assert site.asked == []


async def test_ticket_of_wechat_opens_without_our_cookie(client: httpx.AsyncClient, site: CertificateSite) -> None:
    assert (await fetch(client, site, WECHAT)).headers["Content-Type"] == "application/pdf"


async def test_unreadable_ticket_is_refused(client: httpx.AsyncClient, site: CertificateSite) -> None:
    response = await client.get("/certificates/abc")
    assert response.status_code == 404
    assert site.asked == []


async def test_link_works_again_once_the_core_system_is_back(client: httpx.AsyncClient, site: CertificateSite) -> None:
    be_visitor(client, site)
    address = f"/certificates/{site.ticket(WEB)}"
    site.fund.away = True
    silent = await client.get(address)
    assert (silent.status_code, state_of(silent)) == (503, "notice")
    site.fund.away, site.fund.lose_answers = False, True
    assert (await client.get(address)).status_code == 503
    site.fund.lose_answers = False
    assert (await client.get(address)).status_code == 200
    assert site.fund.calls.count("issue_certificate") == 3


@pytest.mark.parametrize(
    ("code", "words"), [("not_eligible", "按规定，您目前不能开具这种证明"), ("wrong_state", "没有开出这份证明")]
)
async def test_refusal_of_the_core_system_is_said(
    client: httpx.AsyncClient, site: CertificateSite, code: str, words: str
) -> None:
    be_visitor(client, site)
    site.fund.refuse(code)
    response = await fetch(client, site)
    assert response.status_code == 409
    assert words in response.text


@pytest.mark.parametrize(
    ("raises", "status", "words"),
    [
        (TicketRefused(TicketProblem.NOT_PROVEN), 403, "请重新核验身份"),
        (TemporaryError("storage"), 503, "暂时下载不了"),
    ],
)
async def test_failure_before_the_certificate_is_said(
    client: httpx.AsyncClient, site: CertificateSite, raises: Exception, status: int, words: str
) -> None:
    be_visitor(client, site)
    site.raises = raises
    response = await fetch(client, site)
    assert response.status_code == status
    assert words in response.text


async def test_many_downloads_from_one_address_have_to_wait() -> None:
    site = CertificateSite(limits=CertificateLimits(downloads_of_address=Rate(burst=1, per_s=0.1)))
    async with client_of(site) as client:
        assert (await client.get("/certificates/abc")).status_code == 404
        response = await client.get("/certificates/abc")
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "10"


async def test_nothing_personal_is_logged(client: httpx.AsyncClient, site: CertificateSite) -> None:
    certificate: Certificate = await site.issued()
    be_visitor(client, site)
    with structlog.testing.capture_logs() as logged:
        await check(client, certificate.number, certificate.check_code)
        await check(client, certificate.number, "wrong")
        await fetch(client, site)
        await client.get("/certificates/abc")
    assert [entry["event"].split(".")[1] for entry in logged] == ["checked", "checked", "downloaded", "refused"]
    written = str(logged)
    for secret in (NAME, ID_NUMBER, certificate.number, certificate.check_code, VISITOR):
        assert secret not in written
