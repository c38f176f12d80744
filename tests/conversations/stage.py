"""What conversations on own data are played on: people of the cast, telephones, and the core system's controls."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hotline.domain.fund import OPEN_STATES, Application
from hotline.fund.http import HttpFundSystem
from hotline.privacy.hashes import LookupHash
from tests.citizens import Citizen, Person, SmsCitizen, VoiceCitizen, WebCitizen, WeChatCitizen, cast, client
from tests.stack import Stack

LONG_AGO = "2000-01-01 00:00:00.000000"


class Stage:
    """One running stack and everybody in it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.cast: Mapping[str, Person] = cast(stack)
        with client(stack.sandbox) as platform:
            self.phones = len(platform.get("/phone/account").json()["citizens"])
        self._phones: queue.Queue[WeChatCitizen] = queue.Queue()
        for number in range(self.phones):
            self._phones.put(WeChatCitizen(stack, number))
        self._core = client(stack.core_system)
        self._hashes = LookupHash.from_settings(stack.settings.privacy)

    def close(self) -> None:
        self._core.close()
        while not self._phones.empty():
            self._phones.get().close()

    @contextlib.contextmanager
    def playing(self, key: str) -> Iterator[None]:
        """That member of the cast has never been here, and leaves nothing open."""
        self._forget(self.cast[key])
        before = {each.application_no for each in self.filed(key)}
        try:
            yield
        finally:
            for each in self.filed(key):
                if each.application_no not in before and each.state in OPEN_STATES:
                    self.advance(each.application_no, "cancelled")

    @contextlib.contextmanager
    def citizen(self, channel: str, person: Person | None) -> Iterator[Citizen]:
        """Somebody unknown in a new conversation. ``person``: whose telephone it is, where that matters."""
        if channel != "wechat":
            number = (person or {}).get("mobile") or "13800138099"
            made: Citizen = WebCitizen(self.stack) if channel == "web" else _LINES[channel](self.stack, number)
            with contextlib.closing(made):
                yield made
                self._unbind(made)
            return
        phone = self._phones.get()
        try:
            self._unbind(phone)
            phone.begin_anew()
            yield phone
            self._unbind(phone)
        finally:
            self._phones.put(phone)

    # --- the core system -----------------------------------------------------------------------------------------

    def filed(self, key: str) -> Sequence[Application]:
        """The applications of a member of the cast, by a signed read of the core system's own records."""

        async def read() -> Sequence[Application]:
            fund = HttpFundSystem(self.stack.settings.fund)
            try:
                return await fund.applications(self.cast[key]["person_no"])
            finally:
                await fund.close()

        return asyncio.run(read())

    def advance(self, application_no: str, state: str) -> None:
        """The application is in ``state`` and stays there."""
        self._control("advance", {"application_no": application_no, "state": state})

    def end_trouble(self) -> None:
        self._control("faults", {"mode": "none"})

    def plan_fault(self, fault: Mapping[str, Any], key: str | None = None) -> None:
        """The core system goes wrong; with ``key`` only where it is about that member of the cast."""
        whose = f"/v1/persons/{self.cast[key]['person_no']}.*" if key else ""
        self._control("faults", {**fault, "paths": whose + str(fault.get("paths", ""))})

    def _control(self, what: str, body: Mapping[str, Any]) -> None:
        self._core.post(f"/control/{what}", json=dict(body)).raise_for_status()

    # --- time, and what is known -----------------------------------------------------------------------------------

    def let_proof_expire(self, citizen: Citizen) -> None:
        self._write("UPDATE proofs SET proven_until = ? WHERE channel = ? AND address = ?", LONG_AGO, *_key(citizen))

    def let_code_expire(self, citizen: Citizen) -> None:
        self._write(
            "UPDATE codes SET expires_at = ?"
            " WHERE session IN (SELECT id FROM sign_ins WHERE channel = ? AND address = ?)",
            LONG_AGO,
            *_key(citizen),
        )

    def _unbind(self, citizen: Citizen) -> None:
        self._write("DELETE FROM proofs WHERE channel = ? AND address = ?", *_key(citizen))
        self._write(
            "UPDATE bindings SET unbound_at = ? WHERE channel = ? AND address = ? AND unbound_at IS NULL",
            LONG_AGO,
            *_key(citizen),
        )

    def _forget(self, person: Person) -> None:
        hashed = self._hashes.of("person_no", person["person_no"])
        for delete in (
            "DELETE FROM drafts WHERE person_id = (SELECT id FROM persons WHERE person_no_hash = ?)",
            "DELETE FROM submissions WHERE person_id = (SELECT id FROM persons WHERE person_no_hash = ?)",
        ):
            self._write(delete, hashed)

    def _write(self, statement: str, *values: str) -> None:
        path = self.stack.settings.state_dir / "hotline.db"
        with contextlib.closing(sqlite3.connect(path, timeout=10)) as database, database:
            database.execute(statement, values)


_LINES: Mapping[str, type[SmsCitizen] | type[VoiceCitizen]] = {"sms": SmsCitizen, "voice": VoiceCitizen}


def _key(citizen: Citizen) -> tuple[str, str]:
    return citizen.channel, citizen.address
