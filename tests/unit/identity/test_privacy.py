"""Values at rest: sealed for one place, found by keyed hashes."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from hotline.errors import ConfigError
from hotline.privacy.ciphers import FieldCipher, Place, Unreadable
from hotline.privacy.hashes import LookupHash
from hotline.privacy.keys import read_keys
from hotline.settings import PrivacySettings

ONE, TWO = bytes(range(32)), bytes(range(1, 33))
HERE = Place("persons", "id_number", "row-1")
SECRET = "440106199003072015"


def cipher(name: str = "aes-256-gcm", **keys: bytes) -> FieldCipher:
    numbered = {int(number.removeprefix("k")): key for number, key in (keys or {"k1": ONE}).items()}
    return FieldCipher(numbered, cipher=name)


@pytest.mark.parametrize("name", ["aes-256-gcm", "sm4-gcm"])
@given(plain=st.text(max_size=200))
def test_what_is_sealed_opens_in_its_place(name: str, plain: str) -> None:
    made = cipher(name)
    assert made.open(made.seal(plain, HERE), HERE) == plain


@pytest.mark.parametrize("name", ["aes-256-gcm", "sm4-gcm"])
@pytest.mark.parametrize(
    "there",
    [
        Place("drafts", "id_number", "row-1"),
        Place("persons", "mobile", "row-1"),
        Place("persons", "id_number", "row-2"),
    ],
)
def test_what_is_moved_to_another_place_cannot_be_read(name: str, there: Place) -> None:
    made = cipher(name)
    with pytest.raises(Unreadable) as error:
        made.open(made.seal(SECRET, HERE), there)
    assert SECRET not in str(error.value)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_anywhere_is_noticed(at: int, shift: int) -> None:
    label, _, encoded = cipher().seal(SECRET, HERE).partition(".")
    sealed = bytearray(base64.b64decode(encoded))
    sealed[at % len(sealed)] = (sealed[at % len(sealed)] + shift) % 256
    with pytest.raises(Unreadable):
        cipher().open(f"{label}.{base64.b64encode(sealed).decode()}", HERE)


@pytest.mark.parametrize("stored", ["", "a1", "a1.", "a1.AAAA", "a9.AAAA", "x1.AAAA", "a1.%%%", "a1.***", "明文"])
def test_what_was_never_sealed_cannot_be_read(stored: str) -> None:
    with pytest.raises(Unreadable):
        cipher().open(stored, HERE)


def test_the_same_value_never_looks_the_same() -> None:
    made = cipher()
    assert len({made.seal(SECRET, HERE) for _ in range(100)}) == 100


def test_the_stored_form_is_plain_aes_gcm_that_another_program_can_open() -> None:
    label, _, encoded = cipher().seal(SECRET, HERE).partition(".")
    sealed = base64.b64decode(encoded)
    # RFC 5869 by hand: one block of output, no salt.
    extracted = hmac.new(bytes(32), ONE, "sha256").digest()
    key = hmac.new(extracted, b"field a\x01", "sha256").digest()
    bound_to = "\x1f".join((label, "persons", "id_number", "row-1")).encode()
    assert AESGCM(key).decrypt(sealed[:12], sealed[12:], bound_to).decode() == SECRET
    assert label == "a1"


def test_older_keys_and_the_other_cipher_stay_readable_and_the_first_key_seals() -> None:
    old, old_sm4 = cipher(k1=ONE), cipher("sm4-gcm", k1=ONE)
    new = cipher(k2=TWO, k1=ONE)
    for sealed in (old.seal(SECRET, HERE), old_sm4.seal(SECRET, HERE)):
        assert new.open(sealed, HERE) == SECRET
        assert not new.is_current(sealed)
    assert new.seal(SECRET, HERE).startswith("a2.")
    assert new.is_current(new.seal(SECRET, HERE))
    with pytest.raises(Unreadable):
        cipher(k1=ONE).open(new.seal(SECRET, HERE), HERE)


def test_a_label_cannot_be_exchanged_for_that_of_the_same_key_under_another_number() -> None:
    both = cipher(k1=ONE, k2=ONE)
    sealed = both.seal(SECRET, HERE)
    with pytest.raises(Unreadable):
        both.open(sealed.replace("a1.", "a2."), HERE)


def test_the_embedded_keys_can_be_used_and_are_recognised_as_embedded() -> None:
    settings = PrivacySettings()
    assert FieldCipher.from_settings(settings).label == "a1"
    assert settings.lookup_key.get_secret_value().startswith("embedded-")
    assert read_keys(settings.keys)[1].startswith(b"embedded-")


@pytest.mark.parametrize(
    "keys",
    ["", "1:", "1:AAAA", "x:" + base64.b64encode(ONE).decode(), ",".join([f"1:{base64.b64encode(ONE).decode()}"] * 2)],
)
def test_keys_that_cannot_be_used_are_named_without_their_value(keys: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_keys(SecretStr(keys))
    assert "GJJ_PRIVACY__KEYS" in str(error.value)
    assert base64.b64encode(ONE).decode() not in str(error.value)


def test_the_lookup_hash_is_hmac_and_keeps_kinds_and_parts_apart() -> None:
    hashes = LookupHash(b"key", algorithm="sha256")
    assert hashes.of("mobile", "138") == hmac.new(b"key", b"mobile\x1f138", hashlib.sha256).hexdigest()
    assert len({hashes.of("a", "bc"), hashes.of("ab", "c"), hashes.of("a", "b", "c")}) == 3
    assert hashes.matches(hashes.of("a", "b"), "a", "b")
    assert not hashes.matches(hashes.of("a", "b"), "a", "c")


@pytest.mark.skipif("sm3" not in hashlib.algorithms_available, reason="this OpenSSL has no SM3")
def test_the_lookup_hash_may_be_sm3() -> None:
    settings = PrivacySettings(lookup_hash="sm3", lookup_key=SecretStr("key"))
    assert LookupHash.from_settings(settings).of("a", "b") == hmac.new(b"key", b"a\x1fb", "sm3").hexdigest()


def test_a_hash_this_machine_has_not_is_said_at_the_start() -> None:
    with pytest.raises(ConfigError):
        LookupHash(b"key", algorithm="no-such-hash")
