"""The demo: the whole product against the local Azure of the lab, started and stopped by one command.

The lab is another program as far as this is concerned: it is started as ``python -m lab`` and says what
must come out in a file, which is compared with what the lake holds.
"""
