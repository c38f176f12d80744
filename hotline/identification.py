"""The identity port: what pages, keypad prompts and skills need of identity. Implemented by
hotline.services.identity."""

from __future__ import annotations

from typing import Protocol

from hotline.domain.fund import Factor
from hotline.domain.identity import CodeSent, Contact, Known, Purpose, SignIn
from hotline.domain.messages import ChannelName


class Identification(Protocol):
    """Secrets given here are checked and forgotten: never stored, logged, or put into a message."""

    async def known(self, contact: Contact) -> Known | None:
        """Who the contact is bound to, with the level that holds now; None: nobody (anonymous)."""
        ...

    async def known_in(self, conversation_id: str) -> Known | None:
        """The same for the contact of a conversation: what skills ask. Never from a slot or a message."""
        ...

    async def link(self, conversation_id: str, purpose: Purpose) -> str:
        """The address of a page for one sign-in: signed, for this conversation's contact alone, good once and for ten
        minutes. A newer link of the same conversation ends the older ones."""
        ...

    async def link_channel(self, token: str) -> ChannelName:
        """The channel a link was made on, without opening it: on WeChat the page asks by OAuth who is there before it
        opens the link. Raises IdentityRefused (LINK_EXPIRED for what is no link of ours)."""
        ...

    async def open_link(self, token: str, *, browser: str, address: str, openid: str = "") -> SignIn:
        """The sign-in of a link, opened by the browser with the secret cookie value ``browser``. On the web page
        ``browser`` must be the visitor the link was made for; on WeChat ``openid`` (by OAuth) must be the contact's,
        where the account can tell it. Opening again in the same browser goes on. Raises IdentityRefused."""
        ...

    async def begin_keypad(self, conversation_id: str, purpose: Purpose) -> SignIn:
        """A sign-in by telephone keypad in this call. Raises IdentityRefused."""
        ...

    async def prove(
        self, session: str, *, browser: str, address: str, id_number: str, factor: Factor, consent: bool
    ) -> CodeSent:
        """ID number and factor are right and a code has been sent to the number on record. ``consent``: the notice
        was agreed to (asked once a version). ``address`` is the network address, for the locks. Raises
        IdentityRefused."""
        ...

    async def send_again(self, session: str, *, browser: str) -> CodeSent:
        """Raises IdentityRefused."""
        ...

    async def confirm(self, session: str, *, browser: str, code: str) -> Known:
        """The code is right: the contact is bound (a person's first time registers him for all channels) and proven
        for the next minutes. The conversation is told so by a message from the gateway, which also goes on with what
        was asked. Raises IdentityRefused."""
        ...

    async def unbind(self, contact: Contact) -> bool:
        """False when nobody was bound. Other channels of the person stay bound."""
        ...

    async def unbind_in(self, conversation_id: str) -> bool:
        """The same for the contact of a conversation."""
        ...

    async def unbind_all(self, person_id: str) -> int:
        """Every contact of the person is unbound; how many there were."""
        ...
