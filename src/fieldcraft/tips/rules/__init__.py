"""What fieldcraft looks for in networks: one file a rule. Each is listed by the tip that it belongs to."""
