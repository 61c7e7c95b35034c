"""The parts of the page, one file each: a run in, a plain view out (or why there is none)."""
