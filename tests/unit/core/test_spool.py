from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from hotline.domain.messages import ChannelName, Inbound, InboundKind
from hotline.errors import TemporaryError
from hotline.services.spool import Spool

pytestmark = pytest.mark.anyio


def message(number: int) -> Inbound:
    return Inbound(
        channel=ChannelName.SMS,
        external_id=f"m{number}",
        contact_key="+86",
        kind=InboundKind.TEXT,
        text=f"第{number}条",
        as_of=date(2026, 1, number),
        meta={"a": "b"},
    )


async def test_kept_messages_come_back_whole_and_in_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in (1, 2, 3):
        spool.keep(message(number))
    seen: list[Inbound] = []

    async def accept(inbound: Inbound) -> None:
        seen.append(inbound)

    assert await spool.drain(accept) == 3
    assert seen == [message(number) for number in (1, 2, 3)]
    assert list(tmp_path.iterdir()) == []


async def test_what_is_refused_for_now_stays_and_what_arrives_meanwhile_is_not_lost(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in (1, 2):
        spool.keep(message(number))
    seen: list[str] = []

    async def accept(inbound: Inbound) -> None:
        if inbound.external_id == "m2" and "m3" not in seen and not seen.count("refused"):
            seen.append("refused")
            spool.keep(message(3))
            raise TemporaryError("database")
        seen.append(inbound.external_id)

    await spool.drain(accept)
    await spool.drain(accept)
    assert sorted(seen) == ["m1", "m2", "m3", "refused"]


async def test_the_spool_of_a_process_that_is_gone_is_taken_over(tmp_path: Path) -> None:
    Spool(tmp_path).keep(message(1))
    next(tmp_path.iterdir()).rename(tmp_path / "999999999.jsonl")
    seen: list[str] = []

    async def accept(inbound: Inbound) -> None:
        seen.append(inbound.external_id)

    await Spool(tmp_path).drain(accept)
    assert seen == ["m1"]


async def test_a_torn_line_does_not_stop_the_others(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.keep(message(1))
    path = next(tmp_path.iterdir())
    await asyncio.to_thread(path.write_text, '{"channel": "sm\n' + path.read_text(encoding="utf-8"), "utf-8")
    seen: list[str] = []

    async def accept(inbound: Inbound) -> None:
        seen.append(inbound.external_id)

    await spool.drain(accept)
    assert seen == ["m1"]
