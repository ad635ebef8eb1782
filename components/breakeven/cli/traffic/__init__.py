"""The command `breakeven traffic`: traffic settings from request logs or presets."""
