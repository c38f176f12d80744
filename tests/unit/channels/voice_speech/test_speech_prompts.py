"""The list a studio records from."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from channels.voice import speech
from channels.voice.sounding import prompts, wav
from channels.voice.sounding.__main__ import app
from channels.voice.wording import wording
from hotline.errors import ConfigError
from tests.telephone.sounds import tone


def test_every_fixed_word_of_the_telephone_is_listed_as_it_is_said() -> None:
    listed = prompts.fixed_prompts("广州公积金")
    words = wording()
    assert any(text.startswith("您好，广州公积金") for text in listed)
    for text in (words.silence[0], *words.waiting, words.late, words.no_more, words.keypad["notice"][0]):
        assert speech.speakable(text) in listed
    assert len(set(listed)) == len(listed) > 40


def test_nothing_that_is_filled_in_with_somebodys_number_is_listed() -> None:
    listed = "".join(prompts.fixed_prompts("广州公积金"))
    assert "{" not in listed
    assert "尾号" not in listed


def test_a_listed_text_is_short_enough_to_be_said_in_one_go() -> None:
    assert [text for text in prompts.fixed_prompts("广州公积金") if len(text) > 90] == []


def test_the_centre_is_called_as_it_signs_its_messages() -> None:
    assert prompts.centre_name("guangzhou") == "广州公积金"
    with pytest.raises(ConfigError, match="atlantis"):
        prompts.centre_name("atlantis")


def test_writing_the_list_again_keeps_a_studios_own_rows_and_names(tmp_path: Path) -> None:
    (tmp_path / "prompts.csv").write_text("text,file\n再 见,bye.wav\n本中心周六也上班,own.wav\n", encoding="utf-8-sig")
    assert prompts.write_index(tmp_path, ["再见", "您好"]) == 1
    assert prompts.write_index(tmp_path, ["再见", "您好"]) == 0
    with (tmp_path / "prompts.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file)]
    assert rows == [("再 见", "bye.wav"), ("本中心周六也上班", "own.wav"), ("您好", prompts.file_name("您好"))]


@pytest.mark.parametrize("row", ["再见", "再见,", ",bye.wav", "再见,../bye.wav", "再见,/etc/passwd"])
def test_a_row_that_cannot_be_used_is_told_with_its_line(tmp_path: Path, row: str) -> None:
    (tmp_path / "prompts.csv").write_text(f"text,file\n您好,a.wav\n{row}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="line 3"):
        prompts.read_index(tmp_path)


def test_an_index_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "prompts.csv").write_bytes("text,file\n再见,bye.wav\n".encode("gbk"))
    with pytest.raises(ConfigError, match="UTF-8"):
        prompts.read_index(tmp_path)


def test_files_are_checked_and_refused_with_the_reason(tmp_path: Path) -> None:
    rate_16k = bytearray(wav.write(tone(300, 0.5)))
    rate_16k[24:28] = (16000).to_bytes(4, "little")
    stereo = bytearray(wav.write(tone(300, 0.5)))
    stereo[22:24] = (2).to_bytes(2, "little")
    for name, data in {
        "good.wav": wav.write(tone(300, 0.5)),
        "fast.wav": bytes(rate_16k),
        "two.wav": bytes(stereo),
        "music.wav": b"ID3",
        "silent.wav": wav.write(bytes(8000)),
        "short.wav": wav.write(tone(300, 0.05)),
    }.items():
        (tmp_path / name).write_bytes(data)
    rows = [f"文{number},{path.name}" for number, path in enumerate(sorted(tmp_path.iterdir()))] + ["没录,none.wav"]
    (tmp_path / "prompts.csv").write_text("text,file\n" + "\n".join(rows), encoding="utf-8")
    found = prompts.check(tmp_path)
    assert [path.name for path in found.good.values()] == ["good.wav"]
    assert found.missing == ("没录",)
    assert found.refused == {
        "fast.wav": "has 16000 samples a second; 8000 are needed",
        "music.wav": "is no WAV file",
        "short.wav": "is 0.1 s long; 0.1 to 60 s are allowed",
        "silent.wav": "is silent",
        "two.wav": "has 2 channels; one is needed",
    }


def test_the_command_lists_checks_and_fails_where_a_file_is_refused(tmp_path: Path) -> None:
    run = CliRunner()
    first = run.invoke(app, ["prompts", "--folder", str(tmp_path)])
    assert first.exit_code == 0, first.output
    assert "0 recorded" in first.output
    text, file = next(iter(prompts.read_index(tmp_path).items()))
    assert text.startswith("您好")
    (tmp_path / file).write_bytes(wav.write(tone(300, 1)))
    assert "0 newly listed, 1 recorded" in run.invoke(app, ["prompts", "--folder", str(tmp_path)]).output
    (tmp_path / file).write_bytes(b"mp3")
    last = run.invoke(app, ["prompts", "--folder", str(tmp_path)])
    assert last.exit_code == 1
    assert f"refused: {file} is no WAV file" in last.output
