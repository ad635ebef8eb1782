"""What changed between two estimates, as facts and as text."""
