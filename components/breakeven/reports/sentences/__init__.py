"""The sentences of reports: facts of cost and planning in words."""
