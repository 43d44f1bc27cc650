// PMClientTests
