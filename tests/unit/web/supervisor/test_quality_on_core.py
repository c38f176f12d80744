"""The pages that look back over the real core: what was said and scored comes out of the database again."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import Response

from hotline.domain.messages import ChannelName, Inbound
from tests.core_kit import AGENT, CENTRE, Kit, core_kit
from tests.unit.web.supervisor.quality_kit import FULL
from web.desk.entrance import Member
from web.desk.site import DeskSite
from web.supervisor.quality import quality_router
from web.supervisor.quality_site import Records
from web.supervisor.search import search_router

pytestmark = pytest.mark.anyio

BOSS = replace(AGENT, staff_id="s1", display_name="林班长", work_no="1001", supervises=True)


class OpenDoor:
    """Whoever comes is the supervisor."""

    async def admit(self, request: Request, *, supervisor: bool, auditor: bool = False) -> Member | Response:
        return Member(agent=BOSS, csrf="token", page={}, still_in=self.still_in)

    async def still_in(self) -> bool:
        return True


def an_app(kit: Kit) -> FastAPI:
    async def names() -> dict[str, tuple[str, str]]:
        return {each.staff_id: (each.work_no, each.display_name) for each in (AGENT, BOSS)}

    records = Records(
        reviewing=kit.core.reviewing,
        handover=kit.storage.reviews.handover,
        counts=kit.storage.ratings.counts,
        names=names,
    )
    site = DeskSite(kit.core.desk, OpenDoor(), centre=CENTRE, names=names)
    app = FastAPI(openapi_url=None)
    app.include_router(quality_router(site, records))
    app.include_router(search_router(site, records))
    return app


@pytest.fixture
async def kit(tmp_path: Path) -> AsyncIterator[Kit]:
    async with core_kit(tmp_path, agent=AGENT) as kit:
        yield kit


@pytest.fixture
async def boss(kit: Kit) -> AsyncIterator[httpx.AsyncClient]:
    """In front of a conversation that has been handled and has ended."""
    inbound = Inbound(channel=ChannelName.SMS, external_id="1", contact_key="+8613800138000", text="租房能提多少")
    await kit.core.intake.answer(inbound, wait_s=5)
    (talk,) = await kit.core.desk.live(limit=9)
    await kit.take_over(talk.id)
    await kit.core.desk.say(talk.id, "每人每月有限额", agent=AGENT, client_id="k1")
    await kit.core.desk.add_note(talk.id, staff_id=AGENT.staff_id, text="已核对")
    await kit.core.desk.end(talk.id, staff_id=AGENT.staff_id)
    transport = httpx.ASGITransport(an_app(kit))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        yield client


async def test_what_was_said_is_found_read_and_scored(kit: Kit, boss: httpx.AsyncClient) -> None:
    found = await boss.post("/supervisor/search", data={"words": "限额", "agent": "1024", "from": "2026-01-01"})
    assert "每人每月有<mark>限额</mark>" in found.json()["html"]
    sample = (await boss.get("/supervisor/quality/sample")).text
    (path,) = re.findall(r'href="(/supervisor/quality/[^"]+)"', sample)
    page = (await boss.get(path)).text
    for text in ("租房能提多少", "每人每月有限额", "已核对", "138****8000"):
        assert text in page
    assert "13800138000" not in page
    form = {**FULL, "score-courtesy": "15", "reason": "没有说结束语"}
    assert (await boss.post(path, data=form)).json()["next"] == "/supervisor/quality?saved=95"
    overview = (await boss.get("/supervisor/quality")).text
    assert "没有说结束语" in overview
    assert "95.0" in overview
    assert "没有可抽的会话" in (await boss.get("/supervisor/quality/sample")).text
    actions = [row.entry.action for row in await kit.storage.audit.rows()]
    assert actions.count("transcripts.searched") == actions.count("conversation.scored") == 1


async def test_numbers_no_database_holds_are_no_fault(boss: httpx.AsyncClient) -> None:
    assert (await boss.get("/supervisor/quality/999999999999999999")).status_code == 404
    found = await boss.post("/supervisor/search", data={"words": "限额", "before": "999999999999999999"})
    assert "限额" in found.json()["html"]
