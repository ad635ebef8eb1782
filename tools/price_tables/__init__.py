"""Tables of prices with a source and a day in each row, carried into the shipped price book."""
