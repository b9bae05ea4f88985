"""Files that go along with a document unsigned, and those that become a PDF first.

Their bytes are read by workers and by LibreOffice only; the main process knows them by name, size and SHA-256.
"""
