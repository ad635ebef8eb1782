"""The command `breakeven check`: judge manifests by the policy rules."""
