"""The fund core system over HTTP (docs/fund-core-api.yaml)."""
