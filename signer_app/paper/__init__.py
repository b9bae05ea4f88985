"""Papers that the program itself sets and writes as PDF: minutes, requests, reports.

Main process, any thread. Nothing foreign is opened here, and no file is ever written over.
"""
