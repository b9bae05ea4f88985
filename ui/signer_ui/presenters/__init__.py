"""What the panes decide, as plain code: no widget, no Qt.

Values in, values out, tested without a screen.
"""
