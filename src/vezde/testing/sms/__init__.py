"""An SMS gateway of your own: SMSC's HTTP API over a socket, what it "sent" to look at, faults.

    from vezde.testing.sms import faults
    from vezde.testing.sms.fake import FakeSms

    async with FakeSms() as fake:
        gateway = Smsc(fake.token, base_url=fake.base_url)
        fake.order(faults.no_balance(), faults.cut(taken=True))
        fake.report("+79000000001", faults.UNREACHABLE)
        fake.sent[-1].text

`GET /sent` shows the same over HTTP, newest first; a sandbox without a gateway's key has one of
these under `/playground/sms`. `python -m vezde.testing.sms --port 8082` runs it alone. All is in
memory and bounded.

Not simulated: sender names and their approval, HLR, mailings, callbacks.
"""
