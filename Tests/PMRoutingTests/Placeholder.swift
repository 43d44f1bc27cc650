// PMRoutingTests
