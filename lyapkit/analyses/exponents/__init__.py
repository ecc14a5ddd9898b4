"""What Lyapunov exponents are made of: means with errors, checks, verdicts, unions of blocks."""
