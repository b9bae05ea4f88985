"""Widgets that more than one pane uses.

They draw and ask; they decide nothing.
"""
