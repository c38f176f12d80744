"""A telephone line without a switch: calls by SIP end in the process itself (baresip-python, no Asterisk)."""
