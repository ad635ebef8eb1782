"""Policy rules for manifests, waivers, and the verdict on a set of manifests.

Plain functions over plain values: the packs in policies/ run them inside the engine, and `breakeven
check` runs them over YAML. Neither defines rules.
"""
