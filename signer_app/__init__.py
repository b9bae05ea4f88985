"""What the program does, without a screen: documents, signing, verification, store, exchange, command line.

The only room where tokens, PDFs, the store and the document server meet. Knows no Qt.
"""
