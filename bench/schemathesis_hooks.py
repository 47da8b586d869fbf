"""What schemathesis does not know by itself: letters are sent as they are."""

import schemathesis

schemathesis.serializer.alias("message/rfc822", "text/plain")
