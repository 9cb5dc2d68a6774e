"""Big files for a studio's members, made in the background: asked for, made piece by piece, fetched, forgotten.

Pieces are rows: a piece, what is told of progress and where the next one begins are one commit. So a worker that dies
costs the piece that it was about, wherever the next one runs, and the file needs no storage that processes share.
"""
