from __future__ import annotations

import pytest

from knowledge_base.model import Catalogue
from tests.unit.reckoning.shipped import shipped


@pytest.fixture(scope="session")
def guangzhou() -> Catalogue:
    return shipped("guangzhou")


@pytest.fixture(scope="session")
def wuhu() -> Catalogue:
    return shipped("wuhu")
