"""What the gateway asks a citizen by itself, outside the dialogue: satisfaction, a message for staff, a call-back."""
