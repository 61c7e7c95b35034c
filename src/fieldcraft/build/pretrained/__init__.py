"""Pretrained weights: read from files, recognised, and taken over into networks with a fresh head."""
