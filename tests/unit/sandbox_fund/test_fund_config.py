"""What the core system is told from outside."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hotline.settings import Settings
from sandbox.fund.calendar import Clock
from sandbox.fund.config import FundConfig


def test_the_defaults_are_those_of_the_application() -> None:
    ours, theirs = FundConfig.from_env({}), Settings()
    assert ours.port == theirs.sandbox.fund_port
    assert ours.people == theirs.sandbox.fund_people
    assert (ours.today, ours.stage_s) == (theirs.sandbox.fund_today, theirs.sandbox.fund_stage_s)
    assert ours.client_id == theirs.fund.client_id
    assert ours.secret == theirs.fund.secret.get_secret_value()
    assert theirs.fund.base_url == f"http://{ours.host}:{ours.port}"
    assert ours.secret not in repr(ours)


def test_the_environment_is_read(tmp_path: Path) -> None:
    given = {
        "GJJ_STATE_DIR": str(tmp_path),
        "GJJ_SANDBOX__FUND_PORT": "9001",
        "GJJ_SANDBOX__FUND_PEOPLE": "7",
        "GJJ_SANDBOX__FUND_TODAY": "2026-02-28",
        "GJJ_FUND__SECRET": "told",
    }
    config = FundConfig.from_env(given)
    assert (config.port, config.people, config.today, config.secret) == (9001, 7, date(2026, 2, 28), "told")
    assert config.database == tmp_path / "sandbox" / "fund.db"


@pytest.mark.parametrize("wrong", [{"GJJ_SANDBOX__FUND_PORT": "x"}, {"GJJ_SANDBOX__FUND_PEOPLE": "200000"}])
def test_what_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|between"):
        FundConfig.from_env(wrong)


def test_a_day_that_was_set_goes_on_as_days_do() -> None:
    at = datetime(2026, 11, 25, 15, 59, tzinfo=UTC)
    clock = Clock(date(2025, 3, 1), read=lambda: at)
    assert clock.today() == date(2025, 3, 1)
    at = datetime(2026, 11, 25, 16, 1, tzinfo=UTC)
    assert clock.today() == date(2025, 3, 2)
