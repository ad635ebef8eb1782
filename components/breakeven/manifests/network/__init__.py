"""The namespace, and who may reach whom in it."""
