"""The city hotline (12345) over HTTP, in both directions as docs/city-hotline-api.yaml has it."""
