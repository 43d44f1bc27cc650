// PMAPITests
