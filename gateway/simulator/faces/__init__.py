"""The formats that simulated providers speak, one module or two each: their own words, not the gateway's dialects.

Nothing here is shared with `gateway.dialects`, so that a mistake there meets somebody who does not make it too.
"""
