"""What the window works with: blocking methods for any thread, immutable snapshots as answers.

No screen in it.
"""
