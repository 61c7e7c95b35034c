"""Segmentation on its way through the verbs: cases made ready, baselines, networks of masks, their end."""
