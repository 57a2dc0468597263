"""Error rates, their intervals, speed, and the report of them."""
