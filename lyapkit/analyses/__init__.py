"""Analyses, one verb per file. `scan` maps any of them over a grid."""
