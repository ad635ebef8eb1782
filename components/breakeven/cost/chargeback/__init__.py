"""Who pays which part of a bill."""
