// PMModelTests
