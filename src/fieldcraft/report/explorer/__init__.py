"""What the page to explore an inspection is made of."""
