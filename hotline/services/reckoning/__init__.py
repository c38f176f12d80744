"""Reckoning with published figures: loanable amount, monthly payment, prepayment, rent withdrawal, retirement."""
