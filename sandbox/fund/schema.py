"""The tables of the sandbox's core system. Dates and moments are ISO texts, percentages texts, lists JSON."""

from __future__ import annotations

TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE persons (
  person_no TEXT PRIMARY KEY, id_number TEXT NOT NULL UNIQUE, name TEXT NOT NULL, mobile TEXT NOT NULL,
  birth_on TEXT NOT NULL, sex TEXT NOT NULL, household_city TEXT NOT NULL, marriage TEXT, children INTEGER,
  homes_in_city INTEGER, insured_elsewhere INTEGER, insurance_stopped_months INTEGER, clerk_of TEXT NOT NULL,
  password TEXT NOT NULL, cast_key TEXT
) WITHOUT ROWID;
CREATE TABLE accounts (
  account_no TEXT PRIMARY KEY, person_no TEXT NOT NULL, unit_no TEXT NOT NULL, unit_name TEXT NOT NULL,
  kind TEXT NOT NULL, state TEXT NOT NULL, opened_on TEXT NOT NULL, sealed_on TEXT, closed_on TEXT,
  base_fen INTEGER NOT NULL, personal_percent TEXT NOT NULL, unit_percent TEXT NOT NULL, monthly_fen INTEGER NOT NULL,
  balance_fen INTEGER NOT NULL CHECK (balance_fen >= 0), frozen_fen INTEGER NOT NULL, frozen_by TEXT NOT NULL,
  paid_to TEXT, card_number TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE entries (
  account_no TEXT NOT NULL, seq INTEGER NOT NULL, posted_on TEXT NOT NULL, kind TEXT NOT NULL,
  amount_fen INTEGER NOT NULL, balance_fen INTEGER NOT NULL, month TEXT, note TEXT NOT NULL,
  PRIMARY KEY (account_no, seq)
) WITHOUT ROWID;
CREATE TABLE loans (
  loan_no TEXT PRIMARY KEY, person_no TEXT NOT NULL, amount_fen INTEGER NOT NULL, granted_on TEXT NOT NULL,
  term_months INTEGER NOT NULL, method TEXT NOT NULL, home_number INTEGER NOT NULL, prepayments TEXT NOT NULL,
  overdue INTEGER NOT NULL, card_number TEXT NOT NULL, monthly_withdrawal INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE applications (
  application_no TEXT PRIMARY KEY, person_no TEXT NOT NULL, business TEXT NOT NULL, state TEXT NOT NULL,
  open INTEGER NOT NULL, submitted_at TEXT NOT NULL, due_on TEXT, amount_fen INTEGER, missing TEXT NOT NULL,
  refusal TEXT NOT NULL, stages TEXT NOT NULL, fields TEXT NOT NULL, confirmed_at TEXT NOT NULL,
  channel TEXT NOT NULL, next_at REAL
) WITHOUT ROWID;
CREATE TABLE writes (
  person_no TEXT NOT NULL, key TEXT NOT NULL, content TEXT NOT NULL, number TEXT NOT NULL,
  PRIMARY KEY (person_no, key)
) WITHOUT ROWID;
CREATE TABLE certificates (
  number TEXT PRIMARY KEY, check_code TEXT NOT NULL, person_no TEXT NOT NULL, content TEXT NOT NULL
) WITHOUT ROWID;
"""

INDEXES = """
CREATE INDEX accounts_of_person ON accounts (person_no);
CREATE INDEX loans_of_person ON loans (person_no);
CREATE INDEX applications_of_person ON applications (person_no);
CREATE UNIQUE INDEX one_open_application ON applications (person_no, business) WHERE open;
CREATE INDEX applications_to_move ON applications (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX certificates_of_person ON certificates (person_no);
CREATE INDEX cast_of_tests ON persons (cast_key) WHERE cast_key IS NOT NULL;
"""

OF_PERSON = ("certificates", "writes", "applications", "loans", "accounts", "persons")
"""Tables with a person's number; entries hang on accounts."""
