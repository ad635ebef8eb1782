"""The Pulumi layer: component classes that register manifests, and the ledger."""
