"""Every output form: text, Markdown, HTML, JSON, FOCUS, comparisons, plots."""
