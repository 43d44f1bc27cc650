// PMTestSupport
