"""What all runs share: clocks, ensembles of orbits, and what is seen of an orbit."""
