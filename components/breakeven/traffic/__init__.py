"""Measured traffic: reads logs and usage exports, keeps counts and sums, never a prompt."""
