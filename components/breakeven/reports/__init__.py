"""The report beyond the terminal: Markdown, HTML, FOCUS-shaped rows, and a comparison of two."""
