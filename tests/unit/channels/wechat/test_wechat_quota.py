"""The windows' rule alone."""

from __future__ import annotations

import pytest

from channels.wechat.quota import Grant, Quota, grant_of
from hotline.domain.messages import ChannelName, Inbound, InboundKind


def granted(*acts: tuple[Grant, float]) -> Quota:
    quota = Quota()
    for grant, at in acts:
        quota = quota.granted(grant, at) or quota
    return quota


def spent(quota: Quota, times: int, now: float) -> Quota:
    for _ in range(times):
        after = quota.spent(now)
        assert after is not None
        quota = after
    return quota


@pytest.mark.parametrize(("grant", "left", "seconds"), [(Grant.MESSAGE, 5, 172_800), (Grant.EVENT, 3, 60)])
def test_window_allows_so_many_for_so_long(grant: Grant, left: int, seconds: int) -> None:
    quota = granted((grant, 100.0))
    assert quota.allowance(100.0).left == left
    assert quota.allowance(100.0 + seconds - 1).left == left
    assert quota.allowance(100.0 + seconds).left == 0
    assert spent(quota, left, 100.0).spent(100.0) is None


def test_window_that_ends_first_is_used_first() -> None:
    quota = spent(granted((Grant.MESSAGE, 0.0), (Grant.EVENT, 10.0)), 3, 20.0)
    assert quota.allowance(20.0).left == 5
    assert quota.allowance(20.0).until == 172_800


def test_menu_key_does_not_shorten_the_window_of_a_message() -> None:
    assert granted((Grant.MESSAGE, 0.0), (Grant.EVENT, 10.0)).allowance(71.0).left == 5


def test_messages_do_not_add_up() -> None:
    assert granted((Grant.MESSAGE, 0.0), (Grant.MESSAGE, 5.0)).allowance(6.0).left == 5


def test_older_act_that_arrives_late_changes_nothing() -> None:
    assert granted((Grant.MESSAGE, 100.0)).granted(Grant.MESSAGE, 50.0) is None


def test_refund_never_exceeds_the_window() -> None:
    assert granted((Grant.MESSAGE, 0.0)).refunded(1.0).allowance(1.0).left == 5


def test_every_change_has_the_next_version() -> None:
    quota = granted((Grant.MESSAGE, 0.0))
    assert [quota.version, quota.emptied().version, quota.progressed("d", 1).version] == [1, 2, 2]


@pytest.mark.parametrize(
    ("kind", "meta", "grant"),
    [
        (InboundKind.TEXT, {"msg_type": "text"}, Grant.MESSAGE),
        (InboundKind.UNSUPPORTED, {"msg_type": "image"}, Grant.MESSAGE),
        (InboundKind.TEXT, {"msg_type": "text", "menu_id": "1"}, Grant.EVENT),
        (InboundKind.TEXT, {"msg_type": "event", "event": "CLICK"}, Grant.EVENT),
        (InboundKind.START, {"msg_type": "event", "event": "subscribe"}, Grant.EVENT),
        (InboundKind.START, {"msg_type": "event", "event": "SCAN"}, Grant.EVENT),
        (InboundKind.IGNORED, {"msg_type": "event", "event": "VIEW"}, None),
        (InboundKind.IGNORED, {"msg_type": "event", "event": "LOCATION"}, None),
        (InboundKind.LEAVE, {"msg_type": "event", "event": "unsubscribe"}, None),
    ],
)
def test_act_opens_the_window_the_platform_opens(kind: InboundKind, meta: dict[str, str], grant: Grant | None) -> None:
    inbound = Inbound(channel=ChannelName.WECHAT, external_id="1", contact_key="a", kind=kind, meta=meta)
    assert grant_of(inbound) is grant
