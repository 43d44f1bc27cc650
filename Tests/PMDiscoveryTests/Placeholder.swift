// PMDiscoveryTests
