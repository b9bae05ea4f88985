"""The content of each tab, one pane a file.

What a pane decides stands in its presenter.
"""
