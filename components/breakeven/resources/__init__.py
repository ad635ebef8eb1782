"""The Pulumi layer: component classes and the ledger."""
