"""Systems that are disturbed, and what is kept."""
