"""Samples in: readers, splits, decoding, encoding, and the batches made of them. Knows plan and records alone."""
