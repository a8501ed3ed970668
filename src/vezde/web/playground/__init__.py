"""The playground of a sandbox: a phone with the real bot, sample receipts, a time machine.

    tray          receipts that a person may show: each with what is printed on it and its QR code
    time machine  the programme's clock, moved ahead
    member        what the brand sees of the person who holds the phone

There only in a sandbox, and only for a browser on this machine (`web.guard`).
"""
