"""Pages for the browser: what `web/` builds, and the few routes a page has beside `/v1`.

`front` puts the pages beside the API in one application; `pages` answers with built files and
nothing else; `guard` keeps what belongs to a sandbox on this machine; `playground` is the fake
messenger with its tray of receipts and its time machine.
"""
