"""Breakeven: self-hosted LLM serving on Kubernetes as Pulumi components, with its full cost."""
