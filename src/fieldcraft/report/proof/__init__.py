"""Parts of a proof's page, each a view that its template lays out."""
