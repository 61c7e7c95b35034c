"""Training: one short loop, what it writes down, and how it goes on after it was killed."""
