"""Who brings to a node what a cloud or a person would: volumes and secrets."""
