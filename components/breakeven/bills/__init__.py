"""What was charged: exports of clouds and APIs, read into sums by what was paid for."""
