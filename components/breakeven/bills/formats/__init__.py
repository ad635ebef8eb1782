"""The kinds of exports, one module per cloud or standard."""
