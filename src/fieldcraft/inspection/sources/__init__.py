"""Where a module to inspect comes from: one file a kind of source, and `open_source` that tells them apart."""
