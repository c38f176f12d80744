"""`hotline measure`: how well people are understood, beside simple baselines asked the same questions."""
