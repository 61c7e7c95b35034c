"""Masks: how good they are, how sure of themselves, and what refines them; N-D, with spacing, torch-free."""
