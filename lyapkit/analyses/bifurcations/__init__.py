"""Curves and branches, normal forms, points of codimension two."""
