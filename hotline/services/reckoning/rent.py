"""How much may be withdrawn for rent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hotline.services.reckoning.figures import Figures, Used
from hotline.services.reckoning.needs import Missing, Need
from knowledge_base.model import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class RentWish:
    """``people``: of one household who withdraw. ``children`` None: no bonus is reckoned. ``registered``: the contract
    is registered, or the home is public; then the actual rent counts. ``balance_fen``: of all of them together."""

    people: int = 1
    children: int | None = None
    has_minor: bool | None = None
    months: int = 1
    balance_fen: int | None = None
    registered: bool = False
    rent_fen: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RentLimit:
    """``person_fen``: one person a month, None where the actual rent counts. ``household_fen``: all who withdraw, a
    month. ``total_fen``: for ``months`` months by the limit of the day, at most the balance."""

    wish: RentWish
    person_fen: int | None
    household_fen: int
    with_children: bool
    total_fen: int
    used: tuple[Used, ...]

    @property
    def by_balance(self) -> bool:
        """Whether the balance, not the limit, is what bounds it."""
        return self.total_fen < self.household_fen * self.wish.months


def rent_limit(catalogue: Catalogue, wish: RentWish, today: date) -> RentLimit | Missing:
    """The limit as of ``today``, or what has to be asked first.

    Raises:
        NotInForce: the centre has not published a limit of this form.
    """
    figures = Figures(catalogue, today)
    person = figures.fen("rent_limit_month")
    if wish.registered:
        if wish.rent_fen is None:
            return Missing(needs=(Need.RENT,))
        return _limit(figures, wish, person_fen=None, household_fen=wish.rent_fen, with_children=False)
    many = wish.children is not None and wish.children >= figures.whole("rent_children_min")
    if many and wish.has_minor is None:
        return Missing(needs=(Need.MINOR,))
    many = many and bool(wish.has_minor)
    if many:
        person = int(person * (100 + figures.value("rent_children_bonus")) / 100)
    household = person * wish.people
    if many:
        household = min(household, figures.fen("rent_family_limit_month"))
    return _limit(figures, wish, person_fen=person, household_fen=household, with_children=many)


def _limit(
    figures: Figures, wish: RentWish, *, person_fen: int | None, household_fen: int, with_children: bool
) -> RentLimit:
    total = household_fen * wish.months
    return RentLimit(
        wish=wish,
        person_fen=person_fen,
        household_fen=household_fen,
        with_children=with_children,
        total_fen=total if wish.balance_fen is None else min(total, wish.balance_fen),
        used=figures.used,
    )
