"""Rotation: turns, locking, tones and their lattice."""
