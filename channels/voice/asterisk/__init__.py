"""Calls that come in by an Asterisk 22: control by ARI, sound by chan_websocket or AudioSocket (docs/telephone.md)."""
