"""AudioSocket's frames, wherever TCP cuts them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from channels.voice.asterisk.audiosocket import Frames, Kind, SocketFrame, pack

FRAMES = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=700)), max_size=12)


@given(frames=FRAMES, cuts=st.lists(st.integers(1, 400), max_size=60))
def test_frames_come_whole_however_they_are_cut(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    stream = b"".join(bytes([kind]) + len(payload).to_bytes(2, "big") + payload for kind, payload in frames)
    reader, read, at = Frames(), [], 0
    for cut in [*cuts, len(stream)]:
        read += list(reader.feed(stream[at : at + cut]))
        at += cut
    assert read == [SocketFrame(kind=kind, payload=payload) for kind, payload in frames]


def test_a_frame_left_half_read_is_not_read_twice() -> None:
    reader = Frames()
    two = pack(Kind.ID, bytes(16)) + pack(Kind.SOUND, b"\x01\x00" * 160)
    first = next(reader.feed(two))
    assert first.kind == Kind.ID
    assert [frame.kind for frame in reader.feed(b"")] == [Kind.SOUND]


def test_as_the_protocol_writes_them() -> None:
    assert pack(Kind.HANG_UP) == b"\x00\x00\x00"
    assert pack(Kind.SOUND, b"\x00" * 320)[:3] == b"\x10\x01\x40"
    assert pack(Kind.KEY, b"5") == b"\x03\x00\x015"
    assert pack(Kind.ERROR, b"\x01") == b"\xff\x00\x01\x01"
