"""The detector of speech, on speech."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from channels.voice.audio.activity import SileroActivity
from channels.voice.audio.level import Echo, rms
from channels.voice.line import FRAME_BYTES
from tests.telephone import sounds

QUESTION = "我想问一下公积金怎么提取，需要什么材料"


class Counted:
    """Stands before the detector and counts what it is given."""

    def __init__(self, activity: SileroActivity) -> None:
        self._real = activity._detector
        self.chunks = 0

    def process_samples(self, samples: list[float]) -> float:
        self.chunks += 1
        return self._real.process_samples(samples)

    def reset(self) -> None:
        self._real.reset()


def judged(activity: SileroActivity, pcm: bytes) -> list[bool]:
    whole = len(pcm) // FRAME_BYTES * FRAME_BYTES
    return [activity.speech(pcm[at : at + FRAME_BYTES], floor=0.0) for at in range(0, whole, FRAME_BYTES)]


@pytest.mark.parametrize(("share", "most_of_it"), [(1.0, 0.9), (0.3, 0.9), (0.1, 0.8), (0.05, 0.7)])
def test_speech_is_speech_loud_or_soft(share: float, most_of_it: float) -> None:
    speech = sounds.pcm(sounds.samples(sounds.speech(QUESTION)) * share)
    found = judged(SileroActivity(), sounds.silence(1.0) + speech)
    assert not any(found[:48])
    assert sum(found[50:]) / len(found[50:]) > most_of_it
    assert any(found[50:65])


@pytest.mark.parametrize("peak", [50, 300, 3000, 12000])
def test_noise_is_none(peak: int) -> None:
    assert not any(judged(SileroActivity(), sounds.noise(4.0, peak=peak)))


def test_speech_is_heard_through_noise() -> None:
    speech = sounds.samples(sounds.speech(QUESTION))
    noise = sounds.samples(sounds.noise(3.0 + len(speech) / 8000, peak=900))
    noise[24000 : 24000 + len(speech)] += speech
    found = judged(SileroActivity(), sounds.pcm(noise))
    assert not any(found[:148])
    assert sum(found[150:]) / len(found[150:]) > 0.8


def test_silence_costs_nothing() -> None:
    activity = SileroActivity()
    activity._detector = counted = Counted(activity)
    judged(activity, sounds.noise(5.0, peak=25))
    assert counted.chunks == 0
    judged(activity, sounds.noise(10.0, peak=400))
    learnt = counted.chunks
    assert 0 < learnt < 5.0 / 0.032  # a noise is learnt, and left out from then on
    judged(activity, sounds.noise(5.0, peak=400))
    assert counted.chunks == learnt


def test_the_detector_runs_in_this_thread_alone_and_leaves_the_environment_as_it_was() -> None:
    before = dict(os.environ)
    activity = SileroActivity()
    assert dict(os.environ) == before
    all_threads, own = time.process_time(), time.thread_time()
    judged(activity, sounds.speech(QUESTION))
    all_threads, own = time.process_time() - all_threads, time.thread_time() - own
    assert all_threads < own * 1.3


def test_an_echo_is_below_the_floor_and_the_caller_above_it() -> None:
    ours = sounds.speech(QUESTION)
    echo, above = Echo(), 0
    for at in range(0, len(ours) - FRAME_BYTES, FRAME_BYTES):
        played = max((rms(ours[max(at - back, 0) :][:FRAME_BYTES]) for back in range(0, 6400, FRAME_BYTES)), default=0)
        heard = 0.25 * rms(ours[max(at - 1920, 0) :][:FRAME_BYTES])
        above += played > 100 and echo.floor(heard, played) <= heard
    assert above == 0
    assert echo.floor(3000.0, 3000.0) == 0.0


def test_a_line_without_echo_lets_soft_callers_break_in() -> None:
    echo = Echo()
    first = echo.floor(5.0, 3000.0)
    for _ in range(200):
        echo.floor(5.0, 3000.0)
    assert first > 1200
    assert echo.floor(5.0, 3000.0) < 500


def test_loudness_is_that_of_16_bit_samples() -> None:
    assert rms(b"") == 0.0
    assert rms(np.full(160, 1000, dtype="<i2").tobytes()) == pytest.approx(1000)
    assert rms(np.full(160, -32768, dtype="<i2").tobytes()) == pytest.approx(32768)
