"""English, as engineers everywhere read it."""
