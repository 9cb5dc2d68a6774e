"""Signing in by Steam, which speaks OpenID 2.0: named in SOCIAL_SIGN_IN, it is one of allauth's providers.

allauth has one of its own; it needs python3-openid (nobody has kept it since 2020), which asks whatever address an
answer names, and a key of Steam's Web API. Here one address is asked, without a key, and what comes back is an id.
"""
