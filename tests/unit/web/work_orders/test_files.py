"""Evidence files on the pages: taken in, refused in plain words, and given out as downloads."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from hotline.domain.desk import Group
from hotline.domain.work_orders import Source
from tests.fake_desk import FakeDesk
from tests.unit.web.desk.desk_app import TOKEN
from tests.unit.web.work_orders.orders_kit import LIN, Clerk, clerk_at
from tests.work_order_kit import OrderKit

pytestmark = pytest.mark.anyio


def picture(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 20), colour).save(out, "PNG")
    return out.getvalue()


async def test_file_is_taken_in_and_given_out_as_a_download(wang: Clerk, kit: OrderKit) -> None:
    order = await kit.open()
    answer = await wang.upload(order.number, "%E5%8F%91%E7%A5%A8.png", picture())
    assert answer.json()["name"] == "发票.png"
    page = (await wang.get(f"/{order.number}", page=True)).text
    (path,) = re.findall(r'href="/work-orders(/GD[^"]+/files/\d+)" download', page)
    got = await wang.get(path)
    assert got.content == picture()
    assert got.headers["content-disposition"].startswith("attachment;")
    assert got.headers["content-type"] == "image/png"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in got.headers["content-security-policy"]
    assert ("wang", "work_order.file_read", order.number) in await kit.trail()
    assert "上传附件 发票.png" in page


async def test_same_file_again_is_the_same_file(wang: Clerk, kit: OrderKit) -> None:
    order = await kit.open()
    first = await wang.upload(order.number, "a.png", picture())
    again = await wang.upload(order.number, "a.png", picture())
    assert first.json() == again.json()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("page.png", b"<html><script>alert(1)</script></html>", "file_type"),
        ("program.pdf", b"MZ\x90\x00" + b"\0" * 200, "file_type"),
        ("cut.png", picture()[:40], "file_broken"),
        ("two.png", picture() + b"PK\x03\x04" + b"\0" * 60, "file_mixed"),
        ("empty.txt", b"", "file_broken"),
    ],
)
async def test_disguised_file_is_refused_in_plain_words(
    wang: Clerk, kit: OrderKit, name: str, content: bytes, code: str
) -> None:
    order = await kit.open()
    answer = await wang.upload(order.number, name, content)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert "文件" in answer.json()["message"]
    assert (await kit.services.desk.view(order.number, by=LIN)).files == []


async def test_huge_file_is_refused_before_it_is_read(wang: Clerk, kit: OrderKit) -> None:
    order = await kit.open()
    answer = await wang.upload(order.number, "a.txt", b"x" * 20_001)
    assert (answer.status_code, answer.json()["code"]) == (413, "file_size")
    assert not (kit.settings.state_dir / "evidence").exists()


async def test_huge_file_that_does_not_say_how_huge_is_read_no_further_than_allowed(wang: Clerk, kit: OrderKit) -> None:
    order = await kit.open()
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while taken < 100:
            taken += 1
            yield b"x" * 5000

    headers = {"X-CSRF-Token": TOKEN, "X-File-Name": "a.txt"}
    path = f"/work-orders/{order.number}/files"
    answer = await wang.client.post(path, content=endless(), headers=headers)
    assert answer.status_code == 413
    assert taken < 10
    assert list((kit.settings.state_dir / "evidence").rglob("*.*")) == []


async def test_order_takes_only_so_many_files(wang: Clerk, kit: OrderKit) -> None:
    order = await kit.open()
    answers = [await wang.upload(order.number, "a.png", picture(each)) for each in ("red", "blue", "green", "black")]
    assert [each.status_code for each in answers] == [200, 200, 200, 409]
    assert answers[-1].json()["code"] == "file_count"


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "%2e%2e%2fx", "%00.png", "%ff%fe", "n" * 9000])
async def test_name_of_a_file_is_never_a_path(wang: Clerk, kit: OrderKit, name: str) -> None:
    order = await kit.open()
    kept = (await wang.upload(order.number, name, picture())).json()["name"]
    assert kept.endswith(".png")
    assert not set(kept) & set("/\\\0")


async def test_files_of_a_confidential_order_are_closed_to_colleagues(
    desk: FakeDesk, wang: Clerk, kit: OrderKit
) -> None:
    order = await kit.open(confidential=True, source=Source.BOT)
    await kit.services.desk.assign(order.number, version=1, by=LIN, owner="wang", group=Group.COMPLAINT)
    file = (await wang.upload(order.number, "a.png", picture())).json()["file"]
    async with clerk_at(desk, kit, "chen") as chen:
        assert (await chen.get(f"/{order.number}/files/{file}")).status_code == 403
        assert (await chen.upload(order.number, "b.png", picture("blue"))).status_code == 403


async def test_file_of_another_order_is_not_found(wang: Clerk, kit: OrderKit) -> None:
    one, other = await kit.open("一"), await kit.open("二")
    file = (await wang.upload(one.number, "a.png", picture())).json()["file"]
    assert (await wang.get(f"/{other.number}/files/{file}")).status_code == 404
    assert (await wang.get(f"/{one.number}/files/x")).status_code == 404
