"""Certificates on the web: the page that verifies one, and the download of one by a ticket."""

from __future__ import annotations

import asyncio
import math
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, quote

import structlog
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from channels.webchat.visitors import Visitors
from hotline.certificates.facts import VERIFY_PATH
from hotline.certificates.tickets import PATH, CertificateTickets, Ticket, TicketProblem, TicketRefused
from hotline.certificates.wording import of_kind, on_page
from hotline.domain.clock import today
from hotline.domain.fund import Certificate
from hotline.errors import TemporaryError
from hotline.fund_system import FundRefused, FundSystem, FundUnknown
from hotline.settings import Settings
from knowledge_base.model import Centre
from web.citizen.certificate_pages import LONGEST, CertificatePages
from web.citizen.guard import DATA_HEADERS, is_same_origin
from web.citizen.limits import Buckets, Rate

log = structlog.get_logger()
MAX_BODY_BYTES = 4096
_CHECKS_OF_ADDRESS = Rate(burst=20, per_s=0.5)
_CHECKS_OF_NUMBER = Rate(burst=10, per_s=0.05)
_DOWNLOADS_OF_ADDRESS = Rate(burst=30, per_s=0.5)
_STATUS: Mapping[TicketProblem, int] = {
    TicketProblem.UNREADABLE: 404,
    TicketProblem.EXPIRED: 410,
    TicketProblem.USED: 410,
    TicketProblem.OTHER_BROWSER: 403,
    TicketProblem.NOT_PROVEN: 403,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateDownloads:
    """What downloading needs. ``certificate_of`` issues the certificate of a ticket, or gives the one issued before
    under the same key, and leaves the audit row; it may raise TicketRefused (``NOT_PROVEN``), FundRefused, FundUnknown
    and TemporaryError. It is also asked for tickets that turn out to be used."""

    tickets: CertificateTickets
    certificate_of: Callable[[Ticket], Awaitable[Certificate]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateLimits:
    """A bank's clerks share an address; guessing the check code of one number is slow from everywhere."""

    checks_of_address: Rate = _CHECKS_OF_ADDRESS
    checks_of_number: Rate = _CHECKS_OF_NUMBER
    downloads_of_address: Rate = _DOWNLOADS_OF_ADDRESS


def certificate_router(
    fund: FundSystem,
    settings: Settings,
    *,
    centre: Centre,
    downloads: CertificateDownloads,
    limits: CertificateLimits | None = None,
) -> APIRouter:
    """Routes below ``/certificates``. `web.citizen.assets.static_files` has to be mounted at ``/static``."""
    limits = limits or CertificateLimits()
    pages = CertificatePages(centre, sample=settings.sandbox.enabled)
    verify = _Verify(fund, pages, public_url=settings.gateway.public_url, limits=limits)
    download = _Download(downloads, pages, settings=settings, centre=centre, rate=limits.downloads_of_address)
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route(VERIFY_PATH, verify.form, methods=["GET"])
    routes.add_api_route(VERIFY_PATH, verify.check, methods=["POST"])
    routes.add_api_route(PATH, download.fetch, methods=["GET"])
    return routes


class _Verify:
    """Anyone who holds a certificate may ask whether it is true."""

    def __init__(
        self, fund: FundSystem, pages: CertificatePages, *, public_url: str, limits: CertificateLimits
    ) -> None:
        self._fund = fund
        self._pages = pages
        self._public_url = public_url
        self._of_address = Buckets(limits.checks_of_address)
        self._of_number = Buckets(limits.checks_of_number)

    async def form(self, number: str = "", code: str = "") -> Response:
        """The form; nothing is asked of the core system yet."""
        return self._pages.form(number=_typed(number), code=_typed(code))

    async def check(self, request: Request) -> Response:
        """What the core system says of the number and code in the form."""
        if not is_same_origin(request.headers, public_url=self._public_url):
            return self._pages.problem("cross_origin", 403)
        number, code = await _fields(request)
        if not number or not code:
            return self._pages.problem("blank", 400, number=number, code=code)
        if wait_s := self._wait_s(_address(request), number):
            return self._pages.problem("too_fast", 429, number=number, code=code, wait_s=wait_s)
        return await self._answer(number, code)

    async def _answer(self, number: str, code: str) -> HTMLResponse:
        try:
            found = await self._look_up(number, code)
        except TemporaryError:
            return self._pages.problem("away", 503, number=number, code=code, wait_s=60)
        if found is None:
            log.info("certificate.checked", outcome="unknown")
            return self._pages.problem("unknown", 200, number=number, code=code)
        expired = found.valid_until < today()
        log.info("certificate.checked", outcome="expired" if expired else "valid", kind=found.kind.value)
        return self._pages.found(found, expired=expired)

    async def _look_up(self, number: str, code: str) -> Certificate | None:
        if max(len(number), len(code)) > LONGEST:
            return None
        return await self._fund.certificate(number, check_code=code)

    def _wait_s(self, address: str, number: str) -> int:
        wait = self._of_address.wait_s(address)
        return math.ceil(wait if wait > 0 else self._of_number.wait_s(number))


class _Download:
    """Hands out the PDF of a ticket, once."""

    def __init__(
        self,
        downloads: CertificateDownloads,
        pages: CertificatePages,
        *,
        settings: Settings,
        centre: Centre,
        rate: Rate,
    ) -> None:
        self._downloads = downloads
        self._pages = pages
        self._centre = centre
        self._public_url = settings.gateway.public_url
        self._sample = settings.sandbox.enabled
        self._visitors = Visitors(
            settings.gateway.session_secret, secure=self._public_url.lower().startswith("https://")
        )
        self._of_address = Buckets(rate)

    async def fetch(self, request: Request, ticket: str) -> Response:
        """The PDF as a file, or a page that says why not. The ticket is used up only when there is something to hand
        out, so a link that met a silent core system may be followed again."""
        if wait_s := self._of_address.wait_s(_address(request)):
            return self._pages.notice("too_fast", 429, wait_s=math.ceil(wait_s))
        try:
            return await self._file(ticket, visitor=self._visitors.recognise(request.headers.get("cookie", "")))
        except TicketRefused as refused:
            return self._refusal(refused.problem.value, _STATUS[refused.problem])
        except FundRefused as refused:
            return self._refusal("not_eligible" if refused.code == "not_eligible" else "refused", 409)
        except (FundUnknown, TemporaryError):
            return self._refusal("busy", 503)

    async def _file(self, token: str, *, visitor: str | None) -> Response:
        tickets = self._downloads.tickets
        ticket = tickets.read(token, visitor=visitor)
        certificate = await self._downloads.certificate_of(ticket)
        await tickets.use_up(ticket)
        pdf = await asyncio.to_thread(self._printed, certificate)
        log.info("certificate.downloaded", kind=certificate.kind.value, channel=ticket.channel.value)
        headers = dict(DATA_HEADERS) | {"Content-Disposition": _disposition(certificate)}
        return Response(pdf, media_type="application/pdf", headers=headers)

    def _printed(self, certificate: Certificate) -> bytes:
        # Loaded with the first download: the printing libraries take more than a second of a start.
        from hotline.certificates.pdf import certificate_pdf

        return certificate_pdf(certificate, centre=self._centre, public_url=self._public_url, sample=self._sample)

    def _refusal(self, reason: str, status: int) -> Response:
        log.info("certificate.refused", reason=reason)
        return self._pages.notice(reason, status)


def _disposition(certificate: Certificate) -> str:
    """A file to be saved, named by kind and number: in UTF-8 (RFC 6266), and in plain letters for old programs."""
    name = on_page("file_name", kind=of_kind(certificate.kind)["name"], number=certificate.number)
    return f"attachment; filename=\"certificate.pdf\"; filename*=UTF-8''{quote(name, safe='')}"


async def _fields(request: Request) -> tuple[str, str]:
    """Number and check code of a form; both empty where it cannot be one of ours."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return "", ""
    try:
        form = parse_qs(body.decode("ascii"), max_num_fields=8)
    except ValueError:
        return "", ""
    return _typed(form.get("number", [""])[0]), _typed(form.get("code", [""])[0])


def _typed(text: str) -> str:
    """As it is printed: of one width, without blanks and invisible characters."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isprintable() and not c.isspace())


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
