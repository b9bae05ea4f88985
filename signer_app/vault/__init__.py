"""Pictures of seals and signatures, kept encrypted on this machine and never given out.

Main process. Opened pictures live in memory alone; a worker gets them as bytes with what it is to draw.
"""
