"""Links and sign-ins: for one contact, one browser, once, for a while."""

from __future__ import annotations

import asyncio

import pytest

from hotline.domain.identity import Contact, IdentityRefused, Level, Purpose, Refusal, SignIn
from hotline.domain.messages import ChannelName
from hotline.services.identity import KEYPAD_BROWSER, LINK_PATH, UnknownConversation
from tests.unit.identity.conftest import MakeDoor
from tests.unit.identity.kit import ADDRESS, BROWSER, OPENID, PHONE, VISITOR, Door, reason, token

pytestmark = pytest.mark.anyio

OTHER = "another-browser"


async def test_a_link_opens_for_its_owner_and_again_in_the_same_browser(door: Door) -> None:
    conversation = await door.conversation()
    link = await door.service.link(conversation, Purpose.BIND)
    assert link.startswith(f"http://127.0.0.1:8000{LINK_PATH}")
    first, again = [
        await door.service.open_link(token(link), browser=BROWSER, address=ADDRESS, openid=OPENID) for _ in range(2)
    ]
    assert first == again
    assert (first.purpose, first.channel, first.conversation_id) == (Purpose.BIND, ChannelName.WECHAT, conversation)
    assert first.consent_needed
    assert first.session not in repr(first)


async def test_a_link_nobody_made_does_not_open(door: Door) -> None:
    good = token(await door.service.link(await door.conversation(), Purpose.BIND))
    changed = [f"{'A' if good[0] != 'A' else 'B'}{good[1:]}", good[:-1], good + "0", good[:22], "", "../..", "连接"]
    for bad in changed:
        opening = door.service.open_link(bad, browser=BROWSER, address=ADDRESS, openid=OPENID)
        assert await reason(opening) is Refusal.LINK_EXPIRED


async def test_a_link_is_good_for_ten_minutes_and_the_sign_in_for_ten_more(door: Door) -> None:
    conversation = await door.conversation()
    links = [token(await door.service.link(conversation, Purpose.BIND))]
    door.later(minutes=9, seconds=59)
    sign_in = await door.service.open_link(links[0], browser=BROWSER, address=ADDRESS, openid=OPENID)
    door.later(minutes=9, seconds=59)
    await door.prove(sign_in)
    late = await door.service.link(conversation, Purpose.BIND)
    door.later(minutes=10)
    opening = door.service.open_link(token(late), browser=BROWSER, address=ADDRESS, openid=OPENID)
    assert await reason(opening) is Refusal.LINK_EXPIRED


async def test_a_newer_link_ends_the_older_ones_of_its_conversation_alone(door: Door) -> None:
    elsewhere = await door.opened(await door.conversation(address="o-somebody-else"), openid="o-somebody-else")
    conversation = await door.conversation()
    unopened = token(await door.service.link(conversation, Purpose.BIND))
    older = await door.opened(conversation)
    newer = await door.opened(conversation)
    opening = door.service.open_link(unopened, browser=BROWSER, address=ADDRESS, openid=OPENID)
    assert await reason(opening) is Refusal.LINK_EXPIRED
    assert await reason(door.prove(older)) is Refusal.LINK_EXPIRED
    await door.prove(newer)
    door.later(minutes=1)
    await door.prove(elsewhere)


async def test_a_used_link_says_so(door: Door) -> None:
    link = token(await door.service.link(await door.conversation(), Purpose.BIND))
    sign_in = await door.service.open_link(link, browser=BROWSER, address=ADDRESS, openid=OPENID)
    await door.prove(sign_in)
    await door.confirm(sign_in)
    again = door.service.open_link(link, browser=BROWSER, address=ADDRESS, openid=OPENID)
    assert await reason(again) is Refusal.LINK_USED
    assert await reason(door.confirm(sign_in)) is Refusal.LINK_USED
    assert await reason(door.prove(sign_in)) is Refusal.LINK_USED
    assert await reason(door.service.send_again(sign_in.session, browser=BROWSER)) is Refusal.LINK_USED


async def test_a_link_taken_to_another_browser_is_of_no_use_there_and_still_good_at_home(door: Door) -> None:
    link = token(await door.service.link(await door.conversation(), Purpose.BIND))
    sign_in = await door.service.open_link(link, browser=BROWSER, address=ADDRESS, openid=OPENID)
    stolen = door.service.open_link(link, browser=OTHER, address=ADDRESS, openid=OPENID)
    assert await reason(stolen) is Refusal.OTHER_BROWSER
    assert await reason(door.prove(sign_in, browser=OTHER)) is Refusal.OTHER_BROWSER
    await door.prove(sign_in)
    assert await reason(door.confirm(sign_in, browser=OTHER)) is Refusal.OTHER_BROWSER
    assert await reason(door.service.send_again(sign_in.session, browser=OTHER)) is Refusal.OTHER_BROWSER
    assert (await door.confirm(sign_in)).level is Level.PROVEN
    assert (await door.actions()).count("identity.refused") == 4


@pytest.mark.parametrize("openid", ["", "o-somebody-else"])
async def test_on_wechat_a_forwarded_link_does_not_open_for_another_openid(door: Door, openid: str) -> None:
    link = token(await door.service.link(await door.conversation(), Purpose.BIND))
    forwarded = door.service.open_link(link, browser=OTHER, address=ADDRESS, openid=openid)
    assert await reason(forwarded) is Refusal.OTHER_BROWSER
    await door.service.open_link(link, browser=BROWSER, address=ADDRESS, openid=OPENID)


async def test_where_wechat_cannot_tell_who_opens_the_first_browser_has_it(make_door: MakeDoor) -> None:
    door = make_door(wechat_oauth=False)
    link = token(await door.service.link(await door.conversation(), Purpose.BIND))
    await door.service.open_link(link, browser=BROWSER, address=ADDRESS)
    assert await reason(door.service.open_link(link, browser=OTHER, address=ADDRESS)) is Refusal.OTHER_BROWSER


async def test_on_the_web_page_a_link_opens_for_its_visitor_alone(door: Door) -> None:
    link = token(await door.service.link(await door.conversation(ChannelName.WEB, VISITOR), Purpose.BIND))
    assert await reason(door.service.open_link(link, browser=OTHER, address=ADDRESS)) is Refusal.OTHER_BROWSER
    opened = await door.service.open_link(link, browser=VISITOR, address=ADDRESS)
    assert opened.channel is ChannelName.WEB


async def test_of_two_browsers_that_open_at_once_one_has_it(door: Door) -> None:
    link = token(await door.service.link(await door.conversation(ChannelName.SMS, PHONE), Purpose.BIND))
    racing = [door.service.open_link(link, browser=f"browser-{n}", address=ADDRESS) for n in range(8)]
    results = await asyncio.gather(*racing, return_exceptions=True)
    assert sum(isinstance(result, SignIn) for result in results) == 1
    lost = [result.reason for result in results if isinstance(result, IdentityRefused)]
    assert lost == [Refusal.OTHER_BROWSER] * 7


async def test_by_keypad_the_call_is_the_browser(door: Door) -> None:
    call = await door.conversation(ChannelName.VOICE, PHONE, call="CA1")
    sign_in = await door.service.begin_keypad(call, Purpose.BIND)
    await door.prove(sign_in, factor="246813", browser=KEYPAD_BROWSER, address="")
    known = await door.confirm(sign_in, browser=KEYPAD_BROWSER)
    assert known.level is Level.PROVEN
    assert door.told == [(call, known)]


async def test_a_sign_in_by_keypad_cannot_be_reached_by_a_page(door: Door) -> None:
    sign_in = await door.service.begin_keypad(await door.conversation(ChannelName.VOICE, PHONE), Purpose.BIND)
    assert await reason(door.prove(sign_in)) is Refusal.OTHER_BROWSER


async def test_on_the_telephone_a_proof_counts_only_in_its_call(door: Door) -> None:
    call = await door.conversation(ChannelName.VOICE, PHONE, call="CA1")
    sign_in = await door.service.begin_keypad(call, Purpose.BIND)
    await door.prove(sign_in, browser=KEYPAD_BROWSER)
    await door.confirm(sign_in, browser=KEYPAD_BROWSER)
    next_call = await door.conversation(ChannelName.VOICE, PHONE, call="CA2")
    levels = [
        known and known.level
        for known in (
            await door.service.known_in(call),
            await door.service.known_in(next_call),
            await door.service.known(Contact(channel=ChannelName.VOICE, address=PHONE)),
        )
    ]
    assert levels == [Level.PROVEN, Level.BOUND, Level.BOUND]


async def test_a_conversation_that_does_not_exist_is_a_fault(door: Door) -> None:
    for asked in (door.service.link("none", Purpose.BIND), door.service.begin_keypad("none", Purpose.BIND)):
        with pytest.raises(UnknownConversation):
            await asked
    assert await door.service.known_in("none") is None
