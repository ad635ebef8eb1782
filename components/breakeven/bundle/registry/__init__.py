"""Container images: their references and manifests, and copies between registries."""
