"""Who hears recordings, and how long they are kept."""

from __future__ import annotations

import errno
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hotline.domain.staff import Role
from hotline.errors import TemporaryError
from hotline.services.calls.recorder import Recorder
from hotline.services.calls.recordings import RecordingRefused
from tests.unit.calls.studio import (
    AGENT,
    NOW,
    SUPERVISOR,
    Studio,
    recorded,
)

pytestmark = pytest.mark.anyio


async def test_supervisors_auditors_and_the_agent_who_had_the_call_hear_it_and_nobody_else(
    studio: Studio, recorder: Recorder
) -> None:
    await recorded(recorder)
    for role in Role:
        member = replace(SUPERVISOR, roles=frozenset({role}))
        if role in (Role.SUPERVISOR, Role.AUDITOR):
            assert (await studio.played("c1", by=member)).seconds == 2.0
        else:
            with pytest.raises(RecordingRefused, match="not_allowed"):
                await studio.played("c1", by=member)
    studio.rows.held.add(("of-c1", "a1"))
    assert (await studio.played("c1", by=AGENT)).seconds == 2.0
    with pytest.raises(RecordingRefused, match="not_allowed"):
        await studio.played("c1", by=replace(AGENT, id="a2"))
    with pytest.raises(RecordingRefused, match="not_allowed"):
        await studio.played("c1", by=replace(AGENT, roles=frozenset({Role.EDITOR})))
    assert len(studio.trail.entries) == 3


async def test_every_hearing_is_in_the_trail_before_the_first_sound(studio: Studio, recorder: Recorder) -> None:
    await recorded(recorder)
    await studio.played("c1", purpose="投诉核实，来电 13800138000")
    [entry] = studio.trail.entries
    assert (entry.action, entry.actor_id, entry.conversation_id, entry.detail) == (
        "call.recording.played",
        "s1",
        "of-c1",
        {"reference": "c1"},
    )
    assert entry.purpose.startswith("投诉核实")
    assert "13800138000" not in entry.purpose
    studio.trail.down = True
    with pytest.raises(TemporaryError):
        await studio.played("c1")


@pytest.mark.parametrize("purpose", ["", "  ", "x", "长" * 65])
async def test_without_a_purpose_nothing_is_played(studio: Studio, recorder: Recorder, purpose: str) -> None:
    await recorded(recorder)
    with pytest.raises(RecordingRefused, match="purpose"):
        await studio.played("c1", purpose=purpose)


async def test_a_call_without_a_recording_and_one_whose_file_is_gone_are_told_apart(
    studio: Studio, recorder: Recorder
) -> None:
    with pytest.raises(RecordingRefused, match="none"):
        await studio.played("c1")
    await recorded(recorder)
    studio.files()[0].unlink()
    with pytest.raises(RecordingRefused, match="gone"):
        await studio.played("c1")


async def test_who_goes_away_while_it_plays_leaves_nothing_open(studio: Studio, recorder: Recorder) -> None:
    await recorded(recorder, seconds=10)
    content = (await studio.played("c1")).content
    assert len([await anext(content), await anext(content)]) == 2
    await content.aclose()  # type: ignore[attr-defined]


# --- how long it is kept


async def test_what_is_over_its_time_is_deleted_and_what_is_not_stays(studio: Studio, recorder: Recorder) -> None:
    await recorded(recorder, "old")
    studio.now += timedelta(days=1)
    await recorded(recorder, "new")
    studio.now = NOW + timedelta(days=180, hours=1)
    assert await studio.recordings().purge() == 1
    assert [row.call_id for row in studio.rows.rows.values()] == ["new"]
    assert len(studio.files()) == 1
    assert await studio.recordings().purge() == 0
    assert studio.calls.purged_before[0] == NOW + timedelta(hours=1)
    assert (await studio.heard("new"))[0]


async def test_a_file_that_cannot_be_deleted_keeps_its_row_until_it_can(
    studio: Studio, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await recorded(recorder, "c1")
    await recorded(recorder, "c2")
    [stuck, _] = studio.rows.rows.values()
    unlinked = Path.unlink

    def refuses(self: Path, missing_ok: bool = False) -> None:
        if self.stem == stuck.id:
            raise PermissionError(errno.EACCES, "Permission denied")
        unlinked(self, missing_ok=missing_ok)

    studio.now += timedelta(days=181)
    monkeypatch.setattr(Path, "unlink", refuses)
    assert await studio.recordings().purge() == 1
    assert [each.stem for each in studio.files()] == [stuck.id] == list(studio.rows.rows)
    monkeypatch.undo()
    assert await studio.recordings().purge() == 1
    assert (studio.files(), studio.rows.rows) == ([], {})


async def test_a_crash_between_file_and_row_is_made_good_by_the_next_purge(studio: Studio, recorder: Recorder) -> None:
    await recorded(recorder)
    studio.files()[0].unlink()
    studio.now += timedelta(days=181)
    assert await studio.recordings().purge() == 1
    assert studio.rows.rows == {}


async def test_files_and_folders_left_behind_go_when_they_are_older_than_what_is_kept(
    studio: Studio, recorder: Recorder
) -> None:
    await recorded(recorder, "c1")
    await recorded(recorder, "c2")
    first, _ = studio.rows.rows
    del studio.rows.rows[first]
    studio.now += timedelta(days=180)
    await studio.recordings().purge()
    assert len(studio.files()) == 2
    studio.rows.rows = {key: replace(row, delete_after=NOW.replace(year=2030)) for key, row in studio.rows.rows.items()}
    studio.now += timedelta(days=3)
    await studio.recordings().purge()
    assert [each.stem for each in studio.files()] == list(studio.rows.rows)
    studio.rows.rows.clear()
    await studio.recordings().purge()
    assert list(studio.root.iterdir()) == []


async def test_a_machine_without_the_folder_forgets_no_recording(studio: Studio, recorder: Recorder) -> None:
    await recorded(recorder)
    studio.now += timedelta(days=181)
    elsewhere = replace(studio, root=studio.root / "not-mounted")
    assert await elsewhere.recordings().purge() == 0
    assert len(studio.rows.rows) == 1


async def test_a_folder_that_cannot_be_looked_into_stops_nothing_else(
    studio: Studio, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await recorded(recorder)

    def refuses(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuses)
    assert await studio.recordings().purge() == 0
    assert len(studio.calls.purged_before) == 1
