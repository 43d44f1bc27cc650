// PMDiscovery
