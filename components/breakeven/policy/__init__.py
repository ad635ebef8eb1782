"""Rules that manifests must keep: what they are, waivers, and the verdict over any manifests.

Plain functions over plain values: the packs of policies/ run them inside the engine,
`breakeven check` runs them over YAML, and neither has a rule of its own.
"""
