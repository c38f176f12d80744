"""Which year's rate of fund loans holds for a term and a home."""

from __future__ import annotations

from decimal import Decimal

from hotline.services.reckoning.figures import Figures


def year_rate(figures: Figures, *, months: int, home_number: int) -> Decimal:
    """In per cent, of a loan granted on the figures' day; for a second home the lowest the central bank allows.

    Raises:
        NotInForce: no rate on that day.
    """
    home = "first" if home_number == 1 else "second"
    term = "short" if months <= 12 * figures.whole("loan_rate_split_years") else "long"
    return figures.value(f"loan_rate_{home}_{term}")
