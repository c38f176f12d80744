"""Evidence files: where they lie, who gets them, and when they go."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.work_orders import OrderRefused
from hotline.services.work_orders.evidence import safe_name
from hotline.services.work_orders.folder import EvidenceFolder
from tests.unit.work_orders.samples import JPEG, PNG, archive
from tests.work_order_kit import BOSS, LI, WANG, OrderKit, as_stream, order_kits, sqlite_in

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("合同.PNG", "合同.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\Users\\li\\身份证440106199001011233.png", "身份证[证件号已隐去].png"),
        ("a\u202egnp.exe", "agnp.png"),
        ("report.pdf.exe", "report.pdf.png"),
        ("", "附件.png"),
        (".htaccess", "htaccess.png"),
        ("a\r\nSet-Cookie: x=1.png", "aSet-Cookie_x_1.png"),
        ('x";filename="evil.html', "x_filename_evil.png"),
        ("长" * 300, "长" * 80 + ".png"),
        ("<b>%2e%2e</b>.png", "b.png"),
    ],
)
def test_names_are_made_harmless(given_name: str, kept: str) -> None:
    assert safe_name(given_name, ".png") == kept


@given(st.text(max_size=300))
def test_any_name_is_made_harmless(name: str) -> None:
    kept = safe_name(name, ".png")
    assert kept.endswith(".png")
    assert 4 < len(kept) <= 84
    assert not set(kept) & set('\\/:*?"<>|%;=\r\n\t \0\u202e')
    assert not kept.startswith(".")


async def test_a_file_is_kept_by_its_digest_and_read_back_by_staff(kit: OrderKit) -> None:
    order = await kit.open()
    added = await kit.services.evidence.add(order.number, "现场 照片.jpeg", as_stream(PNG[:9], PNG[9:]), by=LI)
    assert (added.name, added.media_type, added.size, added.added_by) == ("现场_照片.png", "image/png", len(PNG), LI.id)
    kept = kit.settings.evidence_dir / added.digest[:2] / added.digest
    assert kept.read_bytes() == PNG
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    served = await kit.services.evidence.read(order.number, added.id, by=WANG)
    assert b"".join([piece async for piece in served.content]) == PNG
    trail = await kit.trail()
    assert [each for each in trail if each[1].endswith("file_read")] == [
        (WANG.id, "work_order.file_read", order.number)
    ]


async def test_a_browser_neither_shows_nor_runs_it(kit: OrderKit) -> None:
    order = await kit.open()
    added = await kit.services.evidence.add(order.number, "说明；a.txt", as_stream("<3 窗口".encode()), by=LI)
    headers = (await kit.services.evidence.read(order.number, added.id, by=LI)).headers
    assert headers["Content-Disposition"].startswith(f'attachment; filename="evidence-{added.id}.txt"; ')
    assert headers["Content-Disposition"].isascii()
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox;")
    assert headers["Cache-Control"] == "no-store"


async def test_reading_needs_the_right_to_see_the_order(kit: OrderKit) -> None:
    order = await kit.open(confidential=True)
    added = await kit.services.evidence.add(order.number, "a.png", as_stream(PNG), by=BOSS)
    with pytest.raises(OrderRefused, match="not_allowed"):
        await kit.services.evidence.read(order.number, added.id, by=LI)
    other = await kit.open()
    with pytest.raises(OrderRefused, match="not_found"):
        await kit.services.evidence.read(other.number, added.id, by=LI)


async def test_what_is_too_large_is_not_read_to_its_end(kit: OrderKit) -> None:
    order, taken = await kit.open(), 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield PNG[:33]
        while True:
            taken += 1
            yield b"\0" * 1024 * 1024

    with pytest.raises(OrderRefused, match="file_size"):
        await kit.services.evidence.add(order.number, "a.png", endless(), by=LI)
    assert taken == 10
    assert nothing_is_kept(kit)


async def test_ten_megabytes_are_taken(kit: OrderKit) -> None:
    order = await kit.open()
    text = b"a" * (10 * 1024 * 1024)
    assert (await kit.services.evidence.add(order.number, "a.txt", as_stream(text), by=LI)).size == len(text)
    with pytest.raises(OrderRefused, match="file_size"):
        await kit.services.evidence.add(order.number, "a.txt", as_stream(text, b"a"), by=LI)


async def test_an_upload_that_breaks_off_or_is_refused_leaves_nothing(kit: OrderKit) -> None:
    order = await kit.open()

    async def broken() -> AsyncIterator[bytes]:
        yield PNG[:100]
        raise ConnectionError("the browser is gone")

    with pytest.raises(ConnectionError):
        await kit.services.evidence.add(order.number, "a.png", broken(), by=LI)
    with pytest.raises(OrderRefused):
        await kit.services.evidence.add(order.number, "a.png", as_stream(archive()), by=LI)
    with pytest.raises(OrderRefused, match="not_found"):
        await kit.services.evidence.add("GD20261125-999997", "a.png", as_stream(PNG), by=LI)
    assert nothing_is_kept(kit)
    assert (await kit.services.desk.view(order.number, by=LI)).files == []


async def test_an_upload_that_is_given_up_leaves_nothing(kit: OrderKit) -> None:
    order, begun = await kit.open(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield PNG[:100]
        begun.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(kit.services.evidence.add(order.number, "a.png", slow(), by=LI))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert nothing_is_kept(kit)


async def test_the_same_file_of_two_orders_lies_once_and_goes_with_the_last(kit: OrderKit) -> None:
    numbers = []
    for _ in range(2):
        order = await kit.open()
        await kit.services.evidence.add(order.number, "a.png", as_stream(PNG), by=LI)
        ended = await kit.services.desk.cancel(order.number, version=1, by=LI, reason="本人撤回")
        numbers.append((ended.number, ended.version))
    assert len(files_kept(kit)) == 1
    await kit.services.desk.erase(numbers[0][0], version=numbers[0][1], by=BOSS, reason="本人要求删除")
    assert len(files_kept(kit)) == 1
    await kit.services.desk.erase(numbers[1][0], version=numbers[1][1], by=BOSS, reason="本人要求删除")
    assert files_kept(kit) == []


async def test_the_limit_of_files_is_a_setting(tmp_path: Path) -> None:
    async with order_kits(await sqlite_in(tmp_path), tmp_path, work_orders={"evidence_files": 1}) as [kit]:
        order = await kit.open()
        await kit.services.evidence.add(order.number, "a.png", as_stream(PNG), by=LI)
        again = await kit.services.evidence.add(order.number, "b.png", as_stream(PNG), by=LI)
        assert again.name == "a.png"
        with pytest.raises(OrderRefused, match="file_count"):
            await kit.services.evidence.add(order.number, "c.jpg", as_stream(JPEG), by=LI)
        assert len(files_kept(kit)) == 1


async def test_what_a_crash_left_behind_is_swept_after_an_hour(kit: OrderKit) -> None:
    order = await kit.open()
    added = await kit.services.evidence.add(order.number, "a.png", as_stream(PNG), by=LI)
    folder = kit.settings.evidence_dir
    orphan, draft = folder / "ff" / ("f" * 64), folder / "incoming" / "half"
    orphan.parent.mkdir()
    for file in (orphan, draft):
        file.write_bytes(b"x")
    assert await kit.services.evidence.sweep() == 0
    long_ago = time.time() - 4000
    for file in (orphan, draft, folder / added.digest[:2] / added.digest):
        os.utime(file, (long_ago, long_ago))
    kit.clock.forward(minutes=5)
    await kit.services.due.run_due()
    assert [each.name for each in files_kept(kit)] == [added.digest]
    assert not draft.exists()


async def test_a_file_that_goes_while_it_is_read_is_said_to_be_gone(kit: OrderKit) -> None:
    order = await kit.open()
    added = await kit.services.evidence.add(order.number, "a.png", as_stream(PNG), by=LI)
    served = await kit.services.evidence.read(order.number, added.id, by=LI)
    files_kept(kit)[0].unlink()
    with pytest.raises(OrderRefused, match="not_found"):
        await anext(served.content)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "F" * 64, "f" * 63])
def test_nothing_but_a_digest_names_a_file(tmp_path: Path, digest: str) -> None:
    folder = EvidenceFolder(tmp_path, most_bytes=1)
    with pytest.raises(ValueError, match="SHA-256"):
        folder.remove(digest)


async def test_a_file_of_an_order_that_was_just_merged_is_the_kept_one_s(kits: Sequence[OrderKit]) -> None:
    one, other = kits
    gone, kept = await one.open("甲"), await one.open("乙")
    merged, added = await asyncio.gather(
        one.services.desk.merge(gone.number, into=kept.number, versions=(1, 1), by=LI),
        other.services.evidence.add(gone.number, "a.png", as_stream(PNG), by=LI),
    )
    assert [each.id for each in (await one.services.desk.view(merged.number, by=LI)).files] == [added.id]


async def test_the_last_order_goes_while_another_gets_the_same_file(kits: Sequence[OrderKit]) -> None:
    one, other = kits
    first, second = await one.open("甲"), await one.open("乙")
    await one.services.evidence.add(first.number, "a.png", as_stream(PNG), by=LI)
    ended = await one.services.desk.cancel(first.number, version=1, by=LI, reason="本人撤回")
    await asyncio.gather(
        one.services.desk.erase(first.number, version=ended.version, by=BOSS, reason="本人要求删除"),
        other.services.evidence.add(second.number, "a.png", as_stream(PNG), by=LI),
    )
    [file] = (await one.services.desk.view(second.number, by=LI)).files
    served = await other.services.evidence.read(second.number, file.id, by=LI)
    assert b"".join([piece async for piece in served.content]) == PNG


async def test_a_file_that_is_gone_from_the_disk_is_said_to_be_gone(kit: OrderKit) -> None:
    order = await kit.open()
    added = await kit.services.evidence.add(order.number, "a.png", as_stream(PNG), by=LI)
    files_kept(kit)[0].unlink()
    with pytest.raises(OrderRefused, match="not_found"):
        await kit.services.evidence.read(order.number, added.id, by=LI)
    again = await kit.services.evidence.add(order.number, "a.png", as_stream(PNG), by=LI)
    assert again == added
    assert len(files_kept(kit)) == 1


def files_kept(kit: OrderKit) -> list[Path]:
    return sorted(kit.settings.evidence_dir.glob("??/*"))


def nothing_is_kept(kit: OrderKit) -> bool:
    return not [each for each in kit.settings.evidence_dir.rglob("*") if each.is_file()]
