"""The training mode (Chế độ tập dượt): the whole program on a software token, in a data folder of its own.

Main process and its children; no Qt. Its certificates, letters and settings are made on this machine, hold nowhere
else, and go with the folder. Nothing of it reaches a network.
"""
