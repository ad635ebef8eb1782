"""Plots of the HTML report."""
