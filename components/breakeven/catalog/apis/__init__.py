"""APIs of models: what they cost, where they run, and what speaks against them."""
