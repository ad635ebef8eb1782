"""The kinds of exports, one module a cloud or standard that writes them."""
