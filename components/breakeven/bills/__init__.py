"""Charges: exports of clouds and APIs, summed by item."""
