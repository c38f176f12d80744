"""What sound is compared with in tests tells one thing from another."""

from __future__ import annotations

from channels.voice.audio.alaw import decode, encode
from tests.telephone.sounds import loudness, noise, silence, sounds_like, speech, tone, tone_share

SAID = "您好，这里是住房公积金热线。"


def test_the_same_speech_by_telephone_sounds_like_it() -> None:
    said = speech(SAID)
    heard = decode(encode(said))
    assert sounds_like(silence(0.5) + heard + silence(0.3), said) > 0.95
    assert sounds_like(heard[:8000] + silence(0.04) + heard[8000:], said) > 0.9


def test_other_sound_does_not_sound_like_it() -> None:
    said = speech(SAID)
    for other in (speech("请按一查询余额，按二查询贷款。"), noise(3.0), tone(300, 3.0), silence(3.0), b""):
        assert sounds_like(other, said) < 0.4


def test_half_of_it_is_half_like_it() -> None:
    said = speech(SAID)
    assert 0.3 < sounds_like(said[: len(said) // 2], said) < 0.8


def test_a_tone_is_told_from_another() -> None:
    assert tone_share(tone(1000, 0.5), 1000) > 0.95
    assert tone_share(tone(440, 0.5), 1000) < 0.05
    assert tone_share(silence(0.5), 1000) == 0.0
    assert loudness(tone(1000, 0.5, peak=8000)) > 5000
