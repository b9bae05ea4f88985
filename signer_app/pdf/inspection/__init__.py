"""Looks for what makes a page show other things than are signed: scripts, layers, files from elsewhere, hidden text.

Runs in a worker, on files of others. `structure` reads the objects with qpdf, `content` the drawn text with PDFium;
`weights` says how much each sighting weighs. Every walk is bounded, nothing is run or fetched, nothing written.
"""
