"""The window's room. It stands in the layout and in the rules of who may import whom.

No window is part of this version. Whatever comes here draws and asks: no PKCS#11, no HTTP, no SQL, no PDF surgery.
"""
