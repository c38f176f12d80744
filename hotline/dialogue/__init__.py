"""Who decides what to say next: Rasa, and knowledge search alone where Rasa does not answer."""
