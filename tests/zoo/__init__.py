"""Nets rebuilt for the tests, numbers that were published about them, and the truth by gradients."""
