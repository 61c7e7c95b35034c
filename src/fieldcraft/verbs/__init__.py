"""The verbs: what both Python and the shell call."""
