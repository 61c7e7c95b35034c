"""Proof: which factors paid, by paired trials; knows nothing of plans and networks."""
