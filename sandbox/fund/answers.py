"""What the core system says no with."""

from __future__ import annotations


class Refused(Exception):
    """Understood and refused: a code of the contract's closed list. ``detail`` has no personal data."""

    def __init__(self, code: str, detail: str = "", *, reference: str = "") -> None:
        super().__init__(code, detail)
        self.code, self.detail, self.reference = code, detail, reference

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return _STATUS[self.code]

    def as_json(self) -> dict[str, str]:
        return {"code": self.code, "detail": self.detail, "reference": self.reference}


_STATUS = {
    "bad_request": 400,
    "unauthorized": 401,
    "not_found": 404,
    "method_not_allowed": 405,
    "open_application": 409,
    "key_reused": 409,
    "wrong_state": 409,
    "not_eligible": 422,
    "frozen": 422,
    "amount_limit": 422,
    "daily_limit": 422,
    "no_card": 422,
    "invalid_field": 422,
    "unavailable": 503,
}
