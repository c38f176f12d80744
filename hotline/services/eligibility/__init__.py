"""May I? Conditions of the published catalogue checked against what is known of a citizen."""

from __future__ import annotations

from hotline.services.eligibility.check import ConditionResult, Outcome, Verdict, check
from hotline.services.eligibility.predicates import Status
from hotline.services.eligibility.saying import ask, say
from hotline.services.eligibility.situation import Situation

__all__ = ["ConditionResult", "Outcome", "Situation", "Status", "Verdict", "ask", "check", "say"]
