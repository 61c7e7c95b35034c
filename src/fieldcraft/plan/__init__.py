"""The plan: a frozen tree of typed values that says how a model is trained. Torch-free."""
