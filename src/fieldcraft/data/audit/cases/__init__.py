"""What can be wrong with images and their masks. One check a file; all look at the same single reading of each case."""
