"""What the panes decide, as plain code: no widget, no Qt; values in, values out, tested without a screen."""
