"""The statutory retirement age by birth date, as it rises since 2025.

Source: 全国人大常委会关于实施渐进式延迟法定退休年龄的决定 (2024-09-13) and the 办法 it approves: from 2025-01-01
men of 60 and women of 55 retire one month later for every four months, up to 63 and 58; women of 50 one month later for
every two months, up to 55. The figures are parameters (knowledge_base/parameters/national/retire.yml), weak until they
are compared with the gazette. Early and flexible retirement, hard and special work are not reckoned: what counts is
what the social insurance office certifies.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from hotline.domain.days import add_months
from hotline.domain.fund import Sex
from hotline.services.reckoning.figures import Figures, Used
from hotline.services.reckoning.needs import Missing, Need


class Post(StrEnum):
    """Of a woman: which age was hers before the change."""

    WORKER = "worker"
    """50: 工人岗位."""
    STAFF = "staff"
    """55: 管理、技术岗位."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """The day the statutory age is reached, and that age in years and months."""

    birth_on: date
    original_years: int
    delay_months: int
    reached_on: date
    used: tuple[Used, ...]

    @property
    def years(self) -> int:
        return self.original_years + self.delay_months // 12

    @property
    def months(self) -> int:
        return self.delay_months % 12


def retirement(figures: Figures, *, birth_on: date, sex: Sex, post: Post | None = None) -> Retirement | Missing:
    """When somebody born on ``birth_on`` reaches the age; of a woman the post must be known.

    Raises:
        NotInForce: the figures have no value on the day.
    """
    if sex is Sex.FEMALE and post is None:
        return Missing(needs=(Need.POST,))
    kind = "men" if sex is Sex.MALE else f"women_{post}"
    original, final = figures.whole(f"retire_original_{kind}"), figures.whole(f"retire_final_{kind}")
    step = figures.get(f"retire_step_{kind}")
    before = add_months(birth_on, 12 * original)
    since = step.effective_from
    later = (before.year - since.year) * 12 + before.month - since.month
    delay = 0 if later < 0 else min(later // int(step.value) + 1, 12 * (final - original))
    return Retirement(
        birth_on=birth_on,
        original_years=original,
        delay_months=delay,
        reached_on=add_months(birth_on, 12 * original + delay),
        used=figures.used,
    )


def retirement_range(figures: Figures, *, birth_on: date, sex: Sex) -> tuple[date, date]:
    """The earliest and the latest day the age can be reached, where a woman's post is not known."""
    posts = (None,) if sex is Sex.MALE else tuple(Post)
    found = (retirement(figures, birth_on=birth_on, sex=sex, post=post) for post in posts)
    days = [each.reached_on for each in found if isinstance(each, Retirement)]
    return min(days), max(days)
