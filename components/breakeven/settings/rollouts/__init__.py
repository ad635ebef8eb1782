"""Candidates of a model: what a stack states of one, and the stacks that follow from it."""
