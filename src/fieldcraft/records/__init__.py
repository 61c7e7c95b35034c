"""Plain frozen values that the floors hand each other. Torch-free; imports nothing else of fieldcraft but errors."""
