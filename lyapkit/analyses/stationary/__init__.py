"""Points at rest: found, proved, sorted."""
