"""SMS by a gateway; the protocol spoken is SMSC's (https://smsc.ru/api/http/)."""

from vezde.messaging.transports.sms.protocol import Fate, Gateway, Status, Taken, Untaken
from vezde.messaging.transports.sms.smsc import Smsc

__all__ = ["Fate", "Gateway", "Smsc", "Status", "Taken", "Untaken"]
