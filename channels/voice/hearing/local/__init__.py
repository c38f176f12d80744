"""The local recogniser: Whisper base in a process of its own, for trying out and development."""
