"""What an evidence file is, by its content alone."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.domain.work_orders import OrderRefused
from hotline.services.work_orders.file_kinds import KINDS, kind_of
from tests.unit.work_orders.samples import FRONT, JPEG, MP4, PNG, REFUSED, WHOLE, endless_photograph, photograph_of


@pytest.mark.parametrize(("name", "number"), [(name, at) for name, each in WHOLE.items() for at in range(len(each))])
def test_whole_files_are_known_by_their_content(tmp_path: Path, name: str, number: int) -> None:
    file = tmp_path / "anything.exe"
    file.write_bytes(WHOLE[name][number])
    assert kind_of(file) == KINDS[name]


@pytest.mark.parametrize("what", list(REFUSED))
def test_what_is_something_else_broken_or_two_things_is_refused(tmp_path: Path, what: str) -> None:
    content, refusal = REFUSED[what]
    file = tmp_path / "photo.png"
    file.write_bytes(content)
    with pytest.raises(OrderRefused) as refused:
        kind_of(file)
    assert refused.value.refusal is refusal


def test_a_photograph_of_too_many_pixels_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(photograph_of(65_000, 65_000))
    with pytest.raises(OrderRefused, match="file_size"):
        kind_of(file)
    file.write_bytes(photograph_of(8_000, 8_000))
    assert kind_of(file) == KINDS["jpeg"]


@given(content=st.binary(max_size=400), front=st.sampled_from([b"", PNG[:8], JPEG[:4], b"%PDF-1.7", MP4[:12], FRONT]))
def test_any_bytes_are_a_known_kind_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, front: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any"
    file.write_bytes(front + content)
    with suppress(OrderRefused):
        assert kind_of(file) in KINDS.values()


def test_a_photograph_of_endless_parts_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(endless_photograph())
    with pytest.raises(OrderRefused, match="file_broken"):
        kind_of(file)
