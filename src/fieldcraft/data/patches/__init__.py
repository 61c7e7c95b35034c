"""Training on patches: where they lie, how they are cut, changed and batched. Standalone parts for 1, 2 and 3 axes."""
