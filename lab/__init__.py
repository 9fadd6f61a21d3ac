"""The lab: a local Azure to run the product against, on 127.0.0.1 and nothing else.

What stands here plays the part of Azure, so it knows Azure's formats and nothing of the product; the one
thing both share is the Avro schema of a capture file. ``python -m lab --help`` lists what it can do.
"""
