"""Blocks that oscillate: drawn, certified, put together."""
