"""Calls by Twilio's ConversationRelay: Twilio hears and speaks, text goes over one WebSocket."""
