"""Evidence of checks: what TT 15/2025/TT-BKHCN, articles 5.4 and 6.2, asks to keep with a signature and to be able to
destroy.
"""
