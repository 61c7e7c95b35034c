"""From feature maps to one vector a sample."""
