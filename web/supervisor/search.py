"""Transcripts looked for by their words. What is looked for is sent in a form and never stands in an address."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from hotline.domain.clock import SHANGHAI
from hotline.domain.messages import ChannelName
from hotline.domain.redaction import redact
from hotline.review_store import Sought
from hotline.services.desk.reviewing import PAGE
from hotline.wording import mask
from web.desk.entrance import Member
from web.desk.forms import Form, read_form
from web.desk.showing import shown
from web.desk.site import DeskSite
from web.supervisor.quality_site import BadInput, QualitySite, Records, record_number

LONGEST_WORDS: Final = 100
AUTHORS: Final = ("citizen", "bot", "agent", "system")
YEARS: Final = range(2000, 2100)
AROUND: Final = 60
"""Characters shown before the words that were found, and after them."""
Piece = tuple[str, bool]
"""Part of a text, and whether it is what was looked for."""


def search_router(site: DeskSite, records: Records) -> APIRouter:
    """Routes under ``/supervisor/search``."""
    quality = QualitySite(site, records)
    pages = _SearchPages(quality)
    routes = APIRouter(include_in_schema=False)
    for method, path, handler in (
        ("GET", "/supervisor/search", pages.page),
        ("POST", "/supervisor/search", pages.search),
        ("GET", "/supervisor/search/c/{conversation_id}", pages.conversation),
    ):
        routes.add_route(path, quality.guarded(handler), methods=[method])
    return routes


class _SearchPages:
    """Handlers for supervisors alone."""

    def __init__(self, site: QualitySite) -> None:
        self._site = site

    async def page(self, request: Request, member: Member) -> Response:
        today = self._site.desk.clock().astimezone(SHANGHAI).date()
        return self._site.page(
            "search", member, channels=list(ChannelName), authors=AUTHORS, longest=LONGEST_WORDS, today=today
        )

    async def search(self, request: Request, member: Member) -> Response:
        """The newest lines that fit, or those before line ``before``."""
        form = await read_form(request)
        before = record_number(form.get("before"))
        sought = await self._sought(form)
        found = await self._site.records.reviewing.search(sought, agent=member.agent, before=before)
        words = redact(sought.words.strip(), mask()).text
        html = self._site.html(
            "results",
            found=[(each, excerpt(shown(each.text), words)) for each in found],
            names=await self._site.desk.names(),
            goes_on=before is not None,
            more=found[-1].seq if len(found) == PAGE else None,
        )
        return self._site.desk.data({"html": html, "message": self._counted(len(found), goes_on=before is not None)})

    async def conversation(self, request: Request, member: Member) -> Response:
        """The whole conversation, to be read."""
        talk = await self._site.transcript(request.path_params["conversation_id"], member)
        return self._site.desk.fragment("supervisor/found.html", **talk)

    def _counted(self, count: int, *, goes_on: bool) -> str:
        """What is read out."""
        kind = "found_none" if not count else "found_more" if goes_on else "found"
        sentence: str = self._site.words[kind]
        return sentence.format(count=count)

    async def _sought(self, form: Form) -> Sought:
        words = form.get("words", "").replace("\0", "")
        if len(words) > LONGEST_WORDS:
            raise BadInput("too_long")
        since, last = _day(form.get("from", "")), _day(form.get("to", ""))
        if since and last and since > last:
            raise BadInput("dates")
        return Sought(
            words=words,
            channel=_channel(form.get("channel", "")),
            author=_author(form.get("author", "")),
            staff_id=await self._staff_id(form.get("agent", "").strip()),
            since=_midnight(since) if since else None,
            until=_midnight(last + timedelta(days=1)) if last else None,
        )

    async def _staff_id(self, work_no: str) -> str:
        """Whose work number it is; empty where none is given."""
        if not work_no:
            return ""
        for staff_id, (known, _) in (await self._site.records.names()).items():
            if known == work_no:
                return staff_id
        raise BadInput("agent")


def excerpt(text: str, words: str) -> list[Piece]:
    """The text around the first place of ``words``, with every place marked; its beginning where there is none."""
    pattern = re.compile(f"({re.escape(words)})", re.IGNORECASE) if words else None
    first = pattern.search(text) if pattern else None
    start = max(0, first.start() - AROUND) if first else 0
    end = (first.end() if first else AROUND) + AROUND
    cut = text[start:end]
    parts = pattern.split(cut) if pattern else [cut]
    pieces = [(part, place % 2 == 1) for place, part in enumerate(parts) if part]
    return [("…", False)] * (start > 0) + pieces + [("…", False)] * (end < len(text))


def _channel(given: str) -> ChannelName | None:
    if given and given not in list(ChannelName):
        raise BadInput("choice")
    return ChannelName(given) if given else None


def _author(given: str) -> str:
    if given and given not in AUTHORS:
        raise BadInput("choice")
    return given


def _day(given: str) -> date | None:
    if not given.strip():
        return None
    try:
        day = date.fromisoformat(given.strip())
    except ValueError as error:
        raise BadInput("date") from error
    if day.year not in YEARS:
        raise BadInput("date")
    return day


def _midnight(day: date) -> datetime:
    """The beginning of the day in China."""
    return datetime.combine(day, time(), SHANGHAI)
