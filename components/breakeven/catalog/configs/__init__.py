"""What a model's config.json says: layers, parameters, longest context, quantization."""
