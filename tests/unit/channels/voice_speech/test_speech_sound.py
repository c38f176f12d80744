"""WAV files, and sound made fit for the telephone."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.voice.audio import alaw
from channels.voice.line import RATE
from channels.voice.resampling import Samples, resampled
from channels.voice.sounding import pcm, sounds, wav
from channels.voice.sounding.port import VoiceAway
from tests.telephone.sounds import tone


def riff(sound: bytes, *, tag: int = 1, channels: int = 1, rate: int = RATE, bits: int = 16, size: int = -1) -> bytes:
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"LIST" + struct.pack("<I", 3) + b"abc\0"
    body += b"data" + struct.pack("<I", len(sound) if size < 0 else size) + sound
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_what_is_written_is_read_again() -> None:
    said = tone(300, 0.5)
    found = wav.read(wav.write(said))
    assert (found.rate, found.encoding, pcm.to_pcm(found.samples)[:100]) == (RATE, "pcm16", said[:100])
    assert found.seconds == pytest.approx(0.5)


def test_a_length_that_a_pipe_made_up_and_an_odd_byte_do_no_harm() -> None:
    found = wav.read(riff(tone(300, 0.5) + b"\1", size=0x7FFFF000))
    assert found.seconds == pytest.approx(0.5)


def test_a_law_is_read() -> None:
    said = tone(300, 0.5)
    found = wav.read(riff(alaw.encode(said), tag=6, bits=8))
    assert found.encoding == "alaw"
    assert np.abs(found.samples - pcm.from_pcm(said)).max() < 0.01


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no WAV"),
        (b"ID3\4" * 20, "no WAV"),
        (b"RIFF\0\0\0\0WAVE", "no WAV"),
        (riff(b"ab", channels=2), "2 channels"),
        (riff(b"ab", tag=3, bits=32), "format 3 with 32 bits"),
        (riff(b"ab", tag=7, bits=8), "format 7 with 8 bits"),
        (riff(b"ab", rate=0), "0 samples"),
    ],
)
def test_other_files_are_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        wav.read(data)


def spectrum(samples: Samples, hertz: float) -> float:
    """The amplitude of one frequency."""
    t = np.arange(samples.size) / RATE
    return float(abs(np.mean(samples * np.exp(-2j * np.pi * hertz * t))) * 2)


@pytest.mark.parametrize("rate", [11025, 16000, 22050, 24000, 44100, 48000])
def test_what_the_telephone_cannot_carry_is_filtered_out_and_does_not_come_back_as_another_tone(rate: int) -> None:
    t = np.arange(2 * rate) / rate
    low = resampled(np.sin(2 * np.pi * 1000 * t), rate, RATE)
    high = resampled(np.sin(2 * np.pi * 5200 * t), rate, RATE)
    assert low.size == high.size == 2 * RATE
    assert np.abs(low - np.sin(2 * np.pi * 1000 * np.arange(low.size) / RATE))[200:-200].max() < 0.002
    assert np.abs(high[200:-200]).max() < 0.002


def test_sound_is_widened_without_a_mirror_of_it_and_stays_where_it_was() -> None:
    t = np.arange(RATE) / RATE
    wide = resampled(np.sin(2 * np.pi * 2500 * t), RATE, 16000)
    assert np.abs(wide - np.sin(2 * np.pi * 2500 * np.arange(wide.size) / 16000))[200:-200].max() < 0.002


@given(st.integers(0, 3000), st.sampled_from([8000, 16000, 22050, 44100]))
def test_any_length_of_sound_is_as_long_in_time_at_another_rate(size: int, rate: int) -> None:
    assert abs(resampled(np.ones(size), rate, RATE).size - size * RATE / rate) <= 1


def test_silence_at_the_ends_is_at_most_a_tenth_of_a_second_and_the_words_stay_whole() -> None:
    word = pcm.from_pcm(tone(300, 0.4))
    faint = 1e-4 * np.ones(RATE)
    kept = pcm.trimmed(np.concatenate([faint, word, np.zeros(RATE // 2), word, faint]))
    loud = np.flatnonzero(np.abs(kept) > 0.01)
    assert loud[0] / RATE <= 0.1
    assert (kept.size - loud[-1]) / RATE <= 0.1
    assert kept.size / RATE == pytest.approx(0.4 + 0.5 + 0.4 + 2 * pcm.KEPT_SILENCE_S, abs=0.03)


def test_a_voice_is_as_loud_as_speech_on_the_telephone_however_loud_it_came() -> None:
    word = pcm.from_pcm(tone(300, 0.4))
    effective = [float(np.sqrt(np.mean(pcm.levelled(gain * word) ** 2))) for gain in (0.02, 1.0, 3.0)]
    assert effective == pytest.approx([0.1] * 3, rel=0.05)


def test_a_single_click_does_not_clip() -> None:
    word = pcm.from_pcm(tone(300, 0.4)) * 0.01
    word[100] = 1.0
    assert np.abs(pcm.levelled(word)).max() < 0.9


@pytest.mark.parametrize("silence", [np.zeros(0), np.zeros(3), np.zeros(RATE)])
def test_silence_stays_empty(silence: Samples) -> None:
    assert pcm.fit(wav.Wav(rate=RATE, encoding="pcm16", samples=silence)) == b""


def test_ringing_is_chinas_ringback_tone() -> None:
    heard = pcm.from_pcm(sounds.sound("ringing"))
    assert heard.size == 5 * RATE
    assert spectrum(heard[:RATE], 450) > 0.1
    assert np.abs(heard[RATE:]).max() == 0


def test_waiting_is_low_and_ends_in_silence_so_that_it_can_begin_anew() -> None:
    heard = pcm.from_pcm(sounds.sound("waiting"))
    assert 0.02 < np.abs(heard).max() < 0.1
    assert np.abs(heard[-RATE // 2 :]).max() < 0.001
    assert heard.size > 8 * RATE


def test_there_is_no_other_sound() -> None:
    with pytest.raises(VoiceAway):
        sounds.sound("trumpet")
