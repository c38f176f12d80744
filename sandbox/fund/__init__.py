"""A stand-in for a centre's core system, by docs/fund-core-api.yaml: a process and a database of its own."""
