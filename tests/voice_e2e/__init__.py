"""A real SIP caller, a real Asterisk, real sound: `make voice-e2e`."""
