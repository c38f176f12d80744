"""Verifying and fetching a certificate, in a real browser."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Page, expect

from hotline.certificates.facts import verify_address
from hotline.domain.fund import Certificate
from hotline.domain.identity import Contact
from hotline.domain.messages import ChannelName
from tests.fund_records import ID_NUMBER
from tests.unit.web.certificate_app import CertificateSite

pytestmark = pytest.mark.browser
WECHAT = Contact(channel=ChannelName.WECHAT, address="openid-of-somebody")
START_LIMIT_S = 20


@pytest.fixture(scope="module")
def site() -> Iterator[CertificateSite]:
    """The pages over a core system in memory, served from this process."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        made = CertificateSite(public_url=f"http://127.0.0.1:{listening.getsockname()[1]}")
        server = uvicorn.Server(uvicorn.Config(made.app(), log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        end = time.monotonic() + START_LIMIT_S
        while not server.started and time.monotonic() < end:
            time.sleep(0.05)
        assert server.started
        yield made
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture(scope="module")
def certificate(site: CertificateSite) -> Certificate:
    found: list[Certificate] = []
    # Playwright's own loop runs in this thread.
    thread = threading.Thread(target=lambda: found.append(asyncio.run(site.issued())))
    thread.start()
    thread.join()
    return found[0]


def check(page: Page, number: str, code: str) -> None:
    page.get_by_label("证明编号").fill(number)
    page.get_by_label("校验码").fill(code)
    page.get_by_role("button", name="查验").click()


def test_scanned_certificate_is_verified_with_one_press(
    chromium_page: Page, site: CertificateSite, certificate: Certificate
) -> None:
    chromium_page.goto(verify_address(certificate, public_url=site.public_url))
    chromium_page.get_by_role("button", name="查验").click()
    expect(chromium_page.get_by_role("heading", name="真实有效")).to_be_visible()
    shown = chromium_page.get_by_role("main").inner_text()
    assert "陈**" in shown
    assert ID_NUMBER[:14] not in shown
    chromium_page.get_by_role("link", name="再查一份").click()
    expect(chromium_page.get_by_label("证明编号")).to_have_value("")


def test_wrong_code_is_said_and_what_was_typed_is_kept(
    chromium_page: Page, site: CertificateSite, certificate: Certificate
) -> None:
    chromium_page.goto(f"{site.public_url}/certificates/verify")
    check(chromium_page, certificate.number, "ABC")
    expect(chromium_page.get_by_role("heading", name="查不到")).to_be_visible()
    expect(chromium_page.get_by_label("证明编号")).to_have_value(certificate.number)
    check(chromium_page, certificate.number, certificate.check_code)
    expect(chromium_page.get_by_role("heading", name="真实有效")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390])
def test_page_fits_its_screen(
    chromium_page: Page, site: CertificateSite, certificate: Certificate, scheme: str, width: int
) -> None:
    complaints: list[str] = []
    chromium_page.on("console", lambda message: complaints.append(message.text))
    chromium_page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    chromium_page.set_viewport_size({"width": width, "height": 844})
    chromium_page.goto(f"{site.public_url}/certificates/verify")
    check(chromium_page, certificate.number, certificate.check_code)
    expect(chromium_page.get_by_role("heading", name="真实有效")).to_be_visible()
    assert chromium_page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints == []


def test_ticket_saves_a_file_and_leads_nowhere_the_second_time(
    chromium_page: Page, site: CertificateSite, tmp_path: Path
) -> None:
    address = f"{site.public_url}/certificates/{site.ticket(WECHAT)}"
    chromium_page.goto(f"{site.public_url}/certificates/verify")
    with chromium_page.expect_download() as started:
        chromium_page.evaluate("address => { window.location.href = address }", address)
    saved = tmp_path / "saved.pdf"
    started.value.save_as(saved)
    assert started.value.suggested_filename.startswith("缴存证明-")
    assert saved.read_bytes().startswith(b"%PDF")
    chromium_page.goto(address)
    expect(chromium_page.get_by_role("heading", name="已经下载过")).to_be_visible()
