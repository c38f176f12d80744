"""What must not be found anywhere: in the database's bytes, the log, an exception, a repr, or the audit trail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from hotline.domain.identity import IdentityRefused, Refusal
from hotline.ports import SendError, SendReason
from hotline.services.identity import IdentityService
from hotline.storage.private_records import SqlDrafts
from tests.fake_fund import CARD, ID_NUMBER, PASSWORD
from tests.unit.identity.kit import BROWSER, HER_CARD, Door, refused, token

pytestmark = pytest.mark.anyio

MOBILE, PERSON_NO, NAME = "13800135678", "P000001", "陈家明"


@pytest.fixture
def logged() -> Iterator[list[dict[str, object]]]:
    with structlog.testing.capture_logs() as entries:
        yield entries  # type: ignore[misc]


def bytes_of(file: Path) -> bytes:
    """Of the database with its journal."""
    return b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))


async def everything(door: Door) -> list[str]:
    """A full sign-in by card and one by password, with errors on the way; the secrets typed and made."""
    sign_in = await door.opened()
    await refused(door.prove(sign_in, factor=HER_CARD))
    door.phone.error = SendError(SendReason.REJECTED, "no", retryable=False)
    await refused(door.prove(sign_in))
    door.phone.error = None
    await door.prove(sign_in)
    await refused(door.confirm(sign_in, door.phone.wrong_code))
    first = door.phone.code
    known = await door.confirm(sign_in)
    door.later(minutes=1)
    link = await door.service.link(await door.conversation(), sign_in.purpose)
    again = await door.service.open_link(
        token(link), browser=BROWSER, address="203.0.113.7", openid="oCitizen0000000000000000001"
    )
    await door.prove(again, factor=PASSWORD)
    drafts = SqlDrafts(door.database, cipher=door.cipher, clock=door.clock)
    await drafts.save(known.person_id, "withdraw-rent", fields={"card": CARD, "name": NAME}, step="confirm")
    return [ID_NUMBER, CARD, PASSWORD, first, door.phone.code, MOBILE, PERSON_NO, NAME, token(link), BROWSER]


async def test_no_secret_stands_in_the_bytes_of_the_database(door: Door) -> None:
    secrets = await everything(door)
    stored = bytes_of(door.file)
    assert b"identity.proven" in stored
    assert [secret for secret in secrets if secret.encode() in stored] == []


async def test_no_secret_is_logged(door: Door, logged: list[dict[str, object]]) -> None:
    secrets = await everything(door)
    written = json.dumps(logged, default=repr, ensure_ascii=False)
    assert {entry["event"] for entry in logged} >= {"identity.proven", "identity.refused", "identity.code.failed"}
    assert [secret for secret in secrets if secret in written] == []


async def test_no_secret_is_in_an_exception_a_repr_or_a_result(door: Door) -> None:
    sign_in = await door.opened()
    shown: list[object] = [sign_in]
    for asked in (door.prove(sign_in, factor=HER_CARD), door.prove(sign_in, ID_NUMBER[:-1] + "9")):
        shown.append(await refused(asked))
    shown.append(await door.prove(sign_in))
    code = door.phone.code
    shown.append(await refused(door.confirm(sign_in, door.phone.wrong_code)))
    shown.append(await door.stores.sign_ins.candidate(sign_in.session))
    shown.append(await door.stores.sign_ins.by_session(sign_in.session))
    shown.append(await door.confirm(sign_in))
    shown.append(await door.stores.bindings.bound(door.wechat()))
    shown += [await door.stores.bindings.registered(shown[-1].person_id)]  # type: ignore[attr-defined]
    written = repr(shown) + "".join(str(each) for each in shown)
    for secret in (ID_NUMBER, CARD, MOBILE, PERSON_NO, NAME, code, sign_in.session):
        assert secret not in written


async def test_the_audit_trail_masks_what_looks_personal(door: Door) -> None:
    await everything(door)
    written = str(await door.audit.rows())
    for secret in (ID_NUMBER, CARD, MOBILE, PERSON_NO, NAME, "oCitizen0000000000000000001"):
        assert secret not in written


async def test_who_a_code_was_for_is_gone_when_it_is_used_and_when_its_sign_in_has_ended(door: Door) -> None:
    used = await door.opened()
    await door.prove(used)
    await door.confirm(used)
    assert await door.stores.sign_ins.candidate(used.session) is None
    door.later(minutes=1)
    sign_in = await door.opened()
    await door.prove(sign_in)
    assert await door.stores.sign_ins.candidate(sign_in.session)
    door.later(minutes=15)
    await door.stores.bindings.purge()
    assert await door.stores.sign_ins.candidate(sign_in.session) is None
    with pytest.raises(IdentityRefused, match=Refusal.LINK_EXPIRED):
        await door.service.send_again(sign_in.session, browser=BROWSER)


def test_the_service_is_what_the_port_says() -> None:
    from hotline.identification import Identification

    port = {name for name in vars(Identification) if not name.startswith("_")}
    assert port <= set(dir(IdentityService))
