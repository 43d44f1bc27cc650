// PMSystemTests
