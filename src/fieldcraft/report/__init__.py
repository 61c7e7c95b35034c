"""Self-contained HTML pages for people, made from the files of a run folder alone."""
