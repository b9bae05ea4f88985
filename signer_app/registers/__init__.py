"""The registers (sổ đăng ký văn bản đi, đến): their lines with the ten columns of the law, what clerks write into them,
their export, the period report, and numbers of registers that a server keeps.

Main process, any thread; reads and writes through the store's transactions alone. Never makes a number up: numbers come
from the book, from a clerk, or from the server's register.
"""
