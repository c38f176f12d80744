"""A browser at the identity pages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fake_identification import FakeIdentification
from identity_visits import client_of


@pytest.fixture
def identification() -> FakeIdentification:
    return FakeIdentification()


@pytest.fixture
async def client(identification: FakeIdentification) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(identification) as client:
        yield client
