"""Skills on the citizen's own data and business: one file per skill, the desk that dispatches them, their words."""
