"""A sample shop of an invented brand: its page uses the widget, its server the Python client.

It is a shop like any other: it knows Vezde by address and key alone. `goods` is what it sells,
`server` its few routes. Money is play money: an order is paid by a button.
"""
