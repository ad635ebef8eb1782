"""The command `breakeven bundle`: pack, verify, open and load bundles for closed networks."""
